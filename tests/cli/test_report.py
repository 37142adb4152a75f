"""`metaspo report`: where a page goes, what it never overwrites, and whose browser opens it."""

import os
import shutil
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import metaspo
from metaspo import Task
from metaspo.cli.main import main
from metaspo.domain.errors import ConfigError
from metaspo.reports.pages.file import write_page

from ..helpers import forked


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, make_task: Callable[..., Task]) -> Path:
    path = tmp_path_factory.mktemp("report") / "m.db"
    models: dict[str, Any] = {"base": "scripted:novice", "optimizer": "scripted:novice", "store": str(path)}
    metaspo.optimize(tasks=[make_task("a")], **models, preset="quick", iterations=1, test_size=8)
    return path


def report(*words: object) -> Result:
    return CliRunner().invoke(main, ["report", *map(str, words)])


def test_a_page_goes_where_it_is_told(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said = report("--store", store).output
    [written] = tmp_path.iterdir()
    assert said == f"wrote {written.name}\n" and written.name.startswith("report-") and written.suffix == ".html"
    assert report("--store", store).exit_code == 0  # a page of ours gives way to the newer one
    assert report("--store", store, "--output", "new/folder/page.html").exit_code == 0
    assert report("--store", store, "--output", "another/").exit_code == 0
    names = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.html")}
    assert names == {written.name, "new/folder/page.html", f"another/{written.name}"}
    assert not list(tmp_path.rglob("*.part"))
    assert stat.S_IMODE(written.stat().st_mode) == stat.S_IMODE(store.stat().st_mode)  # as any file that is made here


@pytest.mark.long
def test_standard_output_has_the_page_and_nothing_else(store: Path) -> None:
    command = [sys.executable, "-m", "metaspo", "report", "--store", str(store), "--output", "-"]
    said = forked.run(command, capture_output=True, check=True, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert said.stdout.startswith(b"<!doctype html>") and said.stdout.rstrip().endswith(b"</html>") and not said.stderr
    assert "--open needs a file" in report("--store", store, "--output", "-", "--open").output


def test_a_file_of_somebody_else_is_left_as_it_is(store: Path, tmp_path: Path) -> None:
    thesis = tmp_path / "thesis.html"
    thesis.write_text("<p>years of work</p>")
    refused = report("--store", store, "--output", thesis)
    assert refused.exit_code == 2 and "--force" in refused.output and thesis.read_text() == "<p>years of work</p>"
    assert report("--store", store, "--output", thesis, "--force").exit_code == 0
    assert thesis.read_text().startswith("<!doctype html>")


def test_a_disk_that_takes_no_more_leaves_the_page_that_was_there(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    write_page("what was there", page, force=True)
    # A file that may not grow beyond some bytes fails as it does on a disk that is full.
    code = (
        "import resource, sys; from pathlib import Path; from metaspo.reports.pages.file import write_page;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000)); write_page('x' * 9000, Path(sys.argv[1]), force=True)"
    )
    done = forked.run([sys.executable, "-c", code, str(page)], capture_output=True, text=True, check=False)
    assert "ConfigError" in done.stderr and "nothing was written" in done.stderr
    assert page.read_text() == "what was there" and [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_the_file_that_a_link_leads_to_is_written(tmp_path: Path) -> None:
    (tmp_path / "link.html").symlink_to(tmp_path / "real.html")
    write_page("first", tmp_path / "link.html")
    assert (tmp_path / "link.html").is_symlink() and (tmp_path / "real.html").read_text() == "first"
    with pytest.raises(ConfigError, match="a file is where its folder would be"):
        write_page("text", tmp_path / "real.html" / "page.html")
    write_page("nowhere", Path(os.devnull))


def test_the_page_is_opened_in_the_browser_of_whoever_asks(store: Path, tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > "{tmp_path}/opened"\n')
    browser.chmod(0o755)
    page = tmp_path / "a page.html"
    command = [sys.executable, "-m", "metaspo", "report", "--store", str(store), "--output", str(page), "--open"]
    forked.run(command, check=True, env={**os.environ, "BROWSER": f"{browser} %s"}, capture_output=True)
    assert (tmp_path / "opened").read_text().strip() == page.as_uri()


def test_a_store_that_can_only_be_read_has_its_page(store: Path, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    shutil.copy(store, folder / "m.db")
    (folder / "m.db").chmod(0o444)
    folder.chmod(0o555)
    try:
        assert report("--store", folder / "m.db", "--output", tmp_path / "page.html").exit_code == 0
        assert [path.name for path in folder.iterdir()] == ["m.db"]
    finally:
        folder.chmod(0o755)


def test_mistakes_are_told_in_a_sentence(store: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    for words, said in [
        (["nothing"], "no run starts with 'nothing'"),
        (["last", "last"], "named twice"),
        (["last", "--study", "paper-domain"], "a page of its own"),
        (["--study", "no.yaml"], "neither a study file nor a built-in study"),
    ]:
        done = report(*words, "--store", store, "--output", page)
        assert done.exit_code == 2 and said in done.output and not page.exists()
    assert "no such store" in report("--store", tmp_path / "none.db").output and not (tmp_path / "none.db").exists()
