"""What people name in Python, and what their modules may do while they are imported."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from metaspo.domain.importing import import_attribute


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working directory, in which no module of another test stands."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_an_attribute_and_what_hangs_on_it(here: Path) -> None:
    (here / "importing_a.py").write_text("class Thing:\n    part = 7\n")
    assert import_attribute("importing_a:Thing.part") == 7
    assert import_attribute("importing_a:Thing").part == 7
    assert import_attribute("os.path:join") is __import__("os").path.join


def test_folders_come_after_the_working_directory_and_that_after_what_python_has(here: Path) -> None:
    folder = here / "folder"
    folder.mkdir()
    (folder / "importing_b.py").write_text("where = 'folder'")
    (folder / "importing_c.py").write_text("where = 'folder'")
    (here / "importing_c.py").write_text("where = 'here'")
    (here / "json.py").write_text("where = 'here'")
    before = list(sys.path)
    for _ in range(2):
        assert import_attribute("importing_b:where", folder) == "folder"
    assert sys.path == [*before, str(here), str(folder)]
    assert import_attribute("importing_c:where", folder) == "here"
    with pytest.raises(AttributeError):
        import_attribute("json:where")


@pytest.mark.parametrize("module", ["importing-dash", "2024_importing"])
def test_a_file_is_a_module_whatever_its_name(here: Path, module: str) -> None:
    (here / f"{module}.py").write_text("found = True")
    assert import_attribute(f"{module}:found")


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("no_such_module:f", ModuleNotFoundError),
        ("importing_d:no_such_name", AttributeError),
        ("importing_d:", AttributeError),
        (":f", ValueError),
        ("..relative:f", TypeError),
        ("importing_exits:f", SystemExit),
        ("importing_divides:f", ZeroDivisionError),
    ],
)
def test_an_error_comes_as_it_is(here: Path, name: str, error: type[BaseException]) -> None:
    (here / "importing_d.py").touch()
    (here / "importing_exits.py").write_text("raise SystemExit(3)")
    (here / "importing_divides.py").write_text("1 / 0")
    with pytest.raises(error):
        import_attribute(name)
