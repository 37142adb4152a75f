"""What counts as the code behind a function: its module and all that it imports from beside it, and nothing that was installed."""

import subprocess
import sys
from pathlib import Path

import pytest

from metaspo.domain.source import installed_version

FILES = {
    "metric.py": "import json\nfrom parts import scale\n\nLIMIT = 2\n\ndef score(answer, golds):\n    return scale.half(LIMIT)\n",
    "parts/__init__.py": "",
    "parts/scale.py": "from .numbers import HALF\n\ndef half(n):\n    import lazily\n    return n * HALF\n",
    "parts/numbers.py": "HALF = 0.25\n",
    "lazily.py": "USED = 1\n",
    "beside.py": "UNUSED = 1\n",
}


def found(folder: Path) -> str:
    code = "import metric; from metaspo.domain.source import fingerprint; print(fingerprint('metric'))"
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    return done.stdout + done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.long
@pytest.mark.parametrize("name", ["metric.py", "parts/scale.py", "parts/numbers.py", "lazily.py", "parts/__init__.py"])
def test_an_edit_of_anything_that_is_imported_counts(folder: Path, name: str) -> None:
    before = found(folder)
    assert len(before.strip()) == 16 and before == found(folder)
    (folder / name).write_text(FILES[name] + "\nMORE = 1\n", encoding="utf-8")
    assert found(folder) != before


def test_an_edit_of_what_is_not_imported_does_not_count(folder: Path) -> None:
    before = found(folder)
    (folder / "beside.py").write_text("UNUSED = 2\n", encoding="utf-8")
    assert found(folder) == before


def test_what_was_installed_has_a_version_instead() -> None:
    assert (installed_version("math") or "").startswith("Python 3.")
    assert (installed_version("pytest") or "").startswith("pytest ")
    assert installed_version("nowhere_to_be_found") is None
