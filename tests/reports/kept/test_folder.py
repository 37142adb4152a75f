"""A folder of versions: for people and programs, numbered, whole, never written twice."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
import yaml

import metaspo
from metaspo.domain.errors import ConfigError
from metaspo.reports.kept import folder

from .conftest import HOSTILE, USER


def read(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_version_holds_the_texts_as_they_are_and_what_they_scored(
    written: Callable[..., str], store_path: Path, tmp_path: Path
) -> None:
    run = written(tasks=("a", "票据"))
    done = metaspo.push(run, to=f"file:{tmp_path}/kept", store=store_path)
    folder = tmp_path / "kept" / "0001"
    about = yaml.safe_load((folder / "version.yaml").read_text(encoding="utf-8"))
    assert (folder / "system.txt").read_bytes() == HOSTILE.encode()
    assert [prompt["kind"] for prompt in about["prompts"]] == ["user", "user", "system"]
    for prompt in about["prompts"][:2]:
        assert (folder / prompt["file"]).read_bytes() == USER.encode()
    assert (about["run"], about["verdict"], about["status"], about["method"]) == (run, "confirmed", "done", "common_first")
    scores = about["prompts"][2]["scores"]
    assert (scores["test_before"], scores["test_after"], scores["test_change"]) == (0.4, 0.8, 0.4)
    assert 0 < scores["test_low"] < 0.4 < scores["test_high"] < 1 and scores["test_examples"] == 40
    assert scores["confirmation_change"] == 0.4 and scores["confirmation_examples"] == 40
    assert about["prompts"][0]["scores"]["test_examples"] == 20
    assert list(done.renamed) == ["票据"] and {one.version for one in done.prompts} == {"0001"}


def test_the_same_run_makes_no_second_version_and_a_changed_one_does(
    written: Callable[..., str], store_path: Path, tmp_path: Path
) -> None:
    to = f"file:{tmp_path}/kept"
    first, second = written("11111111-run"), written("22222222-run", gain=9)
    metaspo.push(first, to=to, store=store_path)
    before = read(tmp_path / "kept")
    assert {one.state for one in metaspo.push(first, to=to, store=store_path).prompts} == {"there"}
    assert read(tmp_path / "kept") == before
    assert {one.version for one in metaspo.push(second, to=to, store=store_path).prompts} == {"0002"}
    again = metaspo.push(first, to=to, store=store_path).prompts
    assert {(one.version, one.confirmed) for one in again} == {("0001", True)}
    metaspo.push(written("33333333-run", gain=18), to=to, store=store_path)
    again = metaspo.push(first, to=to, store=store_path).prompts
    assert {(one.version, one.confirmed) for one in again} == {("0001", False)}
    assert {name: text for name, text in read(tmp_path / "kept").items() if name.startswith("0001")} == before
    assert not [path for path in (tmp_path / "kept").iterdir() if path.name.startswith(".")]


def test_of_those_who_push_a_run_at_once_one_makes_a_version(
    written: Callable[..., str], store_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, to = written(), f"file:{tmp_path}/kept"
    all_write, described = Barrier(8), folder._described

    def when_all_do(made: Any) -> Any:
        all_write.wait(60)
        return described(made)

    monkeypatch.setattr(folder, "_described", when_all_do)
    with ThreadPoolExecutor(8) as at_once:
        done = [*at_once.map(lambda _: metaspo.push(run, to=to, store=store_path), range(8))]
    assert {one.version for pushed in done for one in pushed.prompts} == {"0001"}
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["0001"]


def test_what_others_have_left_there_is_left_alone(written: Callable[..., str], store_path: Path, tmp_path: Path) -> None:
    for name, text in (("0007/version.yaml", "{"), ("0009/version.yaml", "[1]"), ("notes.txt", "x"), ("0012/system.txt", "y")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    before = read(tmp_path)
    done = metaspo.push(written(), to=f"file:{tmp_path}", store=store_path)
    assert {one.version for one in done.prompts} == {"0013"}
    assert {name: text for name, text in read(tmp_path).items() if not name.startswith(("0013", store_path.name))} == {
        name: text for name, text in before.items() if not name.startswith(store_path.name)
    }


def test_a_dry_run_writes_nothing(written: Callable[..., str], store_path: Path, tmp_path: Path) -> None:
    done = metaspo.push(written(), to=f"file:{tmp_path}/kept", store=store_path, dry_run=True)
    assert [one.version for one in done.prompts] == ["", "", ""] and not (tmp_path / "kept").exists()
    assert [one["text"] for one in done.as_data()["prompts"]] == [USER, USER, HOSTILE]


def test_a_place_that_cannot_be_written_is_said(written: Callable[..., str], store_path: Path, tmp_path: Path) -> None:
    run = written()
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="is a file; name a folder"):
        metaspo.push(run, to=f"file:{tmp_path}/file", store=store_path)
    with pytest.raises(
        ConfigError, match=r"Not a directory\. Pushed: nothing; not pushed: user-a, user-b, user; push again then"
    ):
        metaspo.push(run, to=f"file:{tmp_path}/file/inner", store=store_path)
