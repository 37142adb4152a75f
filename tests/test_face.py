"""The face: each public name loads when it is first used, and async functions have a twin that is called alike."""

import ast
import inspect
import subprocess
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pytest

import metaspo

ROOT = Path(__file__).resolve().parents[1]
TWINS = ["adapt", "branch", "generalize", "merge", "move", "optimize", "resume", "run_study", "verify"]


def python(*code: str) -> str:
    """What lines of code print in an interpreter of their own."""
    done = subprocess.run([sys.executable, "-c", "\n".join(code)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_what_is_loaded_is_what_type_checkers_see() -> None:
    typed = {}
    for node in ast.walk(ast.parse((ROOT / "metaspo" / "__init__.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            typed |= {name.asname or name.name: (f"metaspo.{node.module}", name.name) for name in node.names}
    assert metaspo.__all__ == sorted(metaspo._HOMES) == sorted(typed)
    for name, (module, inside) in typed.items():
        assert getattr(metaspo, name) is getattr(import_module(module), inside)


def test_the_face_behaves_like_a_module() -> None:
    assert metaspo.__version__ == version("metaspo")
    assert {*metaspo.__all__, "__version__"} <= set(dir(metaspo))
    with pytest.raises(AttributeError, match="module 'metaspo' has no attribute 'optimise'"):
        metaspo.optimise  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(ImportError):
        from metaspo import optimise  # type: ignore[attr-defined]  # noqa: F401


@pytest.mark.parametrize(
    "every",
    [pytest.param(False, marks=pytest.mark.long), pytest.param(True, marks=pytest.mark.slow)],
    ids=["of a room", "of all"],
)
def test_the_methods_are_known_whichever_home_is_loaded_first(every: bool) -> None:
    first = {home if every else home.partition(".")[0]: name for name, home in metaspo._HOMES.items()}
    python(
        "import sys",
        f"for name in {list(first.values())}:",
        "    for module in [module for module in sys.modules if module.partition('.')[0] == 'metaspo']:",
        "        del sys.modules[module]",
        "    import metaspo",
        "    assert getattr(metaspo, name) is not None",
        "    metaspo.Problem(method='sprig').check()",
    )


USES = [
    "metaspo.Problem(method='sprig').check()",
    "assert metaspo.read_config(None, {'method': 'cot'}).problem().first_system_prompt == \"Let's think step by step.\"",
    "assert 'sprig' in [method.name for method in metaspo.known_methods()]",
    # One's own method of a built-in name is not replaced by the built-in one afterwards.
    "metaspo.register(metaspo.Method('sprig', 'mine', lambda sizes: [])); assert metaspo.Problem(method='sprig').schedule() == []",
]


@pytest.mark.long
def test_the_methods_are_known_whatever_is_used_first() -> None:
    python(
        "import sys",
        f"for use in {USES!r}:",
        "    for module in [module for module in sys.modules if module.partition('.')[0] == 'metaspo']:",
        "        del sys.modules[module]",
        "    import metaspo",
        "    exec(use)",
    )


def test_the_twins_are_all_there() -> None:
    functions = {name for name in metaspo.__all__ if inspect.iscoroutinefunction(getattr(metaspo, name))}
    assert functions == {f"a{name}" for name in TWINS} and functions | set(TWINS) <= set(metaspo.__all__)


@pytest.mark.parametrize("name", TWINS)
def test_twins_are_called_alike(name: str) -> None:
    plain, coroutine = getattr(metaspo, name), getattr(metaspo, f"a{name}")
    # Holds name, order, kind, default and annotation of each parameter, and what comes back.
    assert inspect.signature(plain) == inspect.signature(coroutine)
    assert inspect.signature(plain).return_annotation is not inspect.Signature.empty
    assert inspect.getdoc(plain) and inspect.getdoc(coroutine)
    assert (plain.__name__, coroutine.__name__) == (name, f"a{name}")
    assert not inspect.iscoroutinefunction(plain)
