"""Code as it counts: the text of a module and of everything that it imports from beside it, as one fingerprint."""

import ast
import hashlib
import sys
import sysconfig
import tokenize
from collections.abc import Iterator, Sequence
from importlib.metadata import packages_distributions, version
from pathlib import Path
from types import ModuleType

OWN = __name__.partition(".")[0]
"""Our own package: a new version of it is no edit of somebody's metric."""

_known: dict[str, tuple[ModuleType, str | None]] = {}


def fingerprint(module: str, folder: Path | None = None) -> str | None:
    """Sixteen hex digits that change when the code behind an imported module does; None where there is no text to read.

    What counts is the module's own text and that of all modules that it imports, at whatever depth, from the
    folder that its package is in or from `folder`; comments count, installed packages and files read as data do
    not. What was found first holds as long as the module is loaded: that is the code which runs, edited since or not.
    """
    loaded = sys.modules[module]
    if module not in _known or _known[module][0] is not loaded:
        _known[module] = loaded, _fingerprint(loaded, folder)
    return _known[module][1]


def installed_version(module: str) -> str | None:
    """The version of the Python or of the installed package that a module comes with; None for any other."""
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names:
        return f"Python {sys.version_info.major}.{sys.version_info.minor}"
    homes = packages_distributions().get(top)
    return f"{homes[0]} {version(homes[0])}" if homes else None


def _fingerprint(module: ModuleType, folder: Path | None) -> str | None:
    path = _file(module)
    if path is None:
        return None
    roots = [path.parents[module.__name__.count(".") + (path.stem == "__init__")], *([folder.resolve()] if folder else [])]
    texts: dict[str, str] = {}
    left = [(module.__name__, path)]
    # Importing a module runs the packages around it too; an empty one says nothing.
    around = ((name, _beside(name, roots)) for name in _steps(module.__name__)[:-1])
    left += [(name, file) for name, file in around if file and file.stat().st_size]
    while left:
        name, path = left.pop()
        if name in texts:
            continue
        try:
            with tokenize.open(path) as file:
                texts[name] = file.read()
            left += [(other, found) for other in _imports(texts[name], name, path) if (found := _beside(other, roots))]
        except (OSError, SyntaxError, UnicodeDecodeError):
            if name == module.__name__:
                return None
    if len(texts) == 1:
        return _digest(texts[module.__name__])
    return _digest("\n".join(f"{name} {_digest(text)}" for name, text in sorted(texts.items())))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _file(module: ModuleType) -> Path | None:
    file = getattr(module, "__file__", None)
    return Path(file).resolve() if file and file.endswith(".py") else None


def _imports(text: str, name: str, path: Path) -> Iterator[str]:
    """The full names of all modules that a module may import, wherever in its text it does."""
    package = name if path.stem == "__init__" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _steps(alias.name)
        elif isinstance(node, ast.Call) and _is_import(node.func) and node.args and isinstance(node.args[0], ast.Constant):
            yield from _steps(str(node.args[0].value))
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from _steps(base)
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _is_import(called: ast.expr) -> bool:
    name = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
    return name in ("import_module", "__import__")


def _steps(name: str) -> list[str]:
    """A package's module with the packages around it: a.b.c as a, a.b and a.b.c."""
    parts = name.split(".")
    return [".".join(parts[: end + 1]) for end in range(len(parts))]


def _beside(name: str, roots: Sequence[Path]) -> Path | None:
    """The file of a module that lies under one of the folders and was not installed; None for all others."""
    if name.partition(".")[0] in (OWN, *sys.stdlib_module_names):
        return None
    loaded = sys.modules.get(name)
    if loaded is not None:
        there = [_file(loaded)]
    else:
        stems = [root.joinpath(*name.split(".")) for root in roots]
        there = [path for stem in stems for path in (stem.with_suffix(".py"), stem / "__init__.py") if path.is_file()]
    return next((p for p in there if p and not _installed(p) and any(p.is_relative_to(root) for root in roots)), None)


def _installed(path: Path) -> bool:
    return any(path.is_relative_to(sysconfig.get_path(kind)) for kind in ("stdlib", "purelib", "platlib"))
