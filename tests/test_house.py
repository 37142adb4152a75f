"""The house is as docs/architecture.md draws it: floors, no circles, small files, no code beside the data."""

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FLOORS = [
    "cli", "studies", "runs", "reports", "graph", "nodes", "approval", "methods", "workspace", "models", "tasks", "store",
    "prompts", "domain",
]  # fmt: skip
"""The rooms from the top floor down; above them the face, `metaspo` itself."""

AT_ROOT = ("graph", "nodes", "prompts")
"""Rooms that stand at the root and are imported as `metaspo.<room>` like the others."""


def files_of(room: str) -> list[Path]:
    return sorted((ROOT if room in AT_ROOT else ROOT / "metaspo").joinpath(room).rglob("*.py"))


FILES = {path: room for room in FLOORS for path in files_of(room)}
FACE = sorted((ROOT / "metaspo").glob("*.py"))


def module_of(path: Path) -> list[str]:
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    return parts if parts[0] != "metaspo" else parts[1:]


def imports(path: Path) -> set[str]:
    """The modules of ours that a file imports, dotted, without `metaspo`."""
    modules = {".".join(module_of(path)) for path in [*FILES, *FACE]}
    package, found = module_of(path)[:-1], set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").startswith("metaspo.")):
            assert node.level <= len(package) + 1, f"{path}: relative import beyond the package"
            above = package[: len(package) - node.level + 1] if node.level else []
            base = [*above, *(node.module or "").removeprefix("metaspo.").split(".")]
            base = [part for part in base if part]
            for alias in node.names:
                inner = ".".join([*base, alias.name])
                found.add(inner if inner in modules else ".".join(base))
    return found


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
def test_files_stay_small_and_promise_nothing(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 300
    assert not re.search(r"\b(TODO|FIXME|XXX)\b|raise NotImplementedError", text)
