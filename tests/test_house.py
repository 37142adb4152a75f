"""The house is as docs/architecture.md draws it: floors, no circles, small files, no code beside the data."""

import ast
import re
import subprocess
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from metaspo.graph import bilevel, generalize

from .helpers.house import FLOORS, PAGE, ROOT, files_of, listing, purpose_of

FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef

FILES = {path: room for room in FLOORS for path in files_of(room)}
FACE = sorted((ROOT / "metaspo").glob("*.py"))


def module_of(path: Path) -> list[str]:
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    return parts if parts[0] != "metaspo" else parts[1:]


MODULES = {".".join(module_of(path)) for path in [*FILES, *FACE]}


@cache
def imports(path: Path) -> frozenset[str]:
    """The modules of ours that a file imports, dotted, without `metaspo`."""
    package, found = module_of(path)[:-1], set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").startswith("metaspo.")):
            assert node.level <= len(package) + 1, f"{path}: relative import beyond the package"
            above = package[: len(package) - node.level + 1] if node.level else []
            base = [*above, *(node.module or "").removeprefix("metaspo.").split(".")]
            base = [part for part in base if part]
            for alias in node.names:
                inner = ".".join([*base, alias.name])
                found.add(inner if inner in MODULES else ".".join(base))
    return frozenset(found)


AT_THE_ROOT = {
    "graph", "nodes", "prompts", "datasets", "metaspo", "tests", "docs", "examples", "benchmarks",
    "langgraph.json", "pyproject.toml", "Makefile", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md",
    "CITATION.cff", "LICENSE", ".ci", ".github", ".gitignore", ".dockerignore",
}  # fmt: skip

NODES = [path for path in files_of("nodes") if path.stem != "__init__"]


def test_the_root_holds_what_was_named_and_nothing_else() -> None:
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    assert {name.split("/")[0] for name in files if name} == AT_THE_ROOT


@pytest.mark.long
def test_the_page_says_a_line_for_every_file() -> None:
    assert all(purpose_of(path).endswith((".", "?")) for path in [*FILES, *FACE])
    assert PAGE.read_text(encoding="utf-8").endswith(listing()), "run: python -m tests.helpers.house"


@pytest.mark.parametrize("path", NODES, ids=lambda path: path.stem)
def test_a_file_of_nodes_is_one_node(path: Path) -> None:
    functions = [node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, FUNCTIONS)]
    public = [node for node in functions if not node.name.startswith("_")]
    assert [(node.name, type(node)) for node in public] == [(path.stem, ast.AsyncFunctionDef)]
    assert not {name for name in imports(path) if name.split(".")[0] == "nodes"}


def test_every_node_is_in_a_graph_under_its_name() -> None:
    wired = {name for graph in (bilevel.graph, generalize.graph) for name in graph.nodes if not name.startswith("__")}
    assert {path.stem for path in NODES} == wired


@pytest.mark.parametrize("path", files_of("methods"), ids=lambda path: path.stem)
def test_methods_know_no_graph(path: Path) -> None:
    named = {
        name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in getattr(node, "names", [])])
    }
    assert not {name for name in named if name.split(".")[0] == "langgraph"}


def test_the_rooms_are_all_there() -> None:
    assert all(files_of(room) for room in FLOORS)
    assert not list((ROOT / "datasets").rglob("*.py")), "a .py file in datasets/ would shadow Hugging Face's package"


@pytest.mark.parametrize("path", FILES, ids=lambda path: "/".join(module_of(path)))
def test_a_file_imports_from_its_own_floor_or_below(path: Path) -> None:
    above = FLOORS[: FLOORS.index(FILES[path])]
    assert not {name for name in imports(path) if name.split(".")[0] in above}


def test_there_are_no_circles() -> None:
    graph = {".".join(module_of(path)): imports(path) - {".".join(module_of(path))} for path in FILES}
    # Raises CycleError, which names the circle.
    assert len(list(TopologicalSorter(graph).static_order())) >= len(graph)


@pytest.mark.parametrize("path", [*FILES, *FACE], ids=lambda path: "/".join(module_of(path)))
def test_files_and_functions_stay_small_and_promise_nothing(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 300
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, FUNCTIONS):
            assert (node.end_lineno or 0) - node.lineno < 40, f"{node.name} is long"
            # A command's parameters are its options.
            named = {argument.arg for argument in [*node.args.args, *node.args.kwonlyargs]} - {"self", "cls"}
            assert len(named) <= 5 or FILES.get(path) == "cli", f"{node.name} takes {len(named)} parameters"
    assert not re.search(r"\b(TODO|FIXME|XXX)\b|raise NotImplementedError", text)


@pytest.mark.parametrize(
    "path",
    [*FILES, *FACE, *(ROOT / "benchmarks").glob("*.py"), *(ROOT / "examples").glob("*.py")],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_no_code_names_a_file_that_is_not_there(path: Path) -> None:
    named = re.findall(r"[A-Za-z_][\w./-]*\.(?:py|md|mmd)\b", path.read_text(encoding="utf-8"))
    assert not {name for name in named if not (ROOT / name).exists() and not (path.parent / name).exists()}
