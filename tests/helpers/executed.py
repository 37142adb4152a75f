"""A notebook executed by nbclient in a real kernel, in a process of its own: `python executed.py NOTEBOOK` fills its outputs in."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def executed(folder: Path, cells: Sequence[str]) -> list[list[dict[str, Any]]]:
    """The outputs of each cell, as a notebook's file has them."""
    import nbformat

    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    path = folder / "tried.ipynb"
    nbformat.write(made, path)
    done = subprocess.run([sys.executable, __file__, str(path)], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [cell["outputs"] for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]


def main(path: Path) -> None:
    import nbformat
    from nbclient import NotebookClient

    made = nbformat.read(path, as_version=4)
    NotebookClient(made, kernel_name="python3", timeout=300, resources={"metadata": {"path": str(path.parent)}}).execute()
    nbformat.write(made, path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
