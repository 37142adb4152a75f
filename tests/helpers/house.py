"""The rooms of the house and their files, and the section of docs/architecture.md that lists them.

python -m tests.helpers.house    # writes that section anew
"""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "architecture.md"
HEADING = "## Every file\n"

FLOORS = [
    "cli", "studies", "runs", "reports", "graph", "nodes", "approval", "methods", "workspace", "models", "tasks", "store",
    "prompts", "domain",
]  # fmt: skip
"""The rooms from the top floor down; above them the face, `metaspo` itself."""

AT_ROOT = ("graph", "nodes", "prompts")
"""Rooms that stand at the root and are imported as `metaspo.<room>` like the others."""


def files_of(room: str) -> list[Path]:
    """The files of a room, those of rooms inside it last."""
    folder = (ROOT if room in AT_ROOT else ROOT / "metaspo") / room
    return sorted(folder.rglob("*.py"), key=lambda path: (len(path.parts), path))


def purpose_of(path: Path) -> str:
    """The first line of a file's docstring."""
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n")[0]


def listing() -> str:
    """Every file with its purpose, room by room; a room's own line is that of its `__init__`."""
    parts = [HEADING, "What each says of itself in its first line (`python -m tests.helpers.house` writes this list).", ""]
    for room in FLOORS:
        for path in files_of(room):
            name = path.relative_to(ROOT).as_posix()
            if path.stem == "__init__":
                parts += ["", f"**`{name.removesuffix('__init__.py')}`** {purpose_of(path)}", ""]
            else:
                parts.append(f"- `{name}`: {purpose_of(path)}")
    return "\n".join(parts).replace("\n\n\n", "\n\n") + "\n"


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(text.partition(HEADING)[0] + listing(), encoding="utf-8")
