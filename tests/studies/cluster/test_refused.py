"""What a cluster cannot do is said in a sentence, before the first call."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from metaspo.domain.errors import ConfigError, MissingExtraError
from metaspo.studies.cluster import own_store as folders
from metaspo.studies.cluster.order import Outcome, written_by
from metaspo.studies.cluster.own_store import left_behind, own_store
from metaspo.studies.cluster.working import work

from ...helpers.noted_endpoint import NotedEndpoint
from ...helpers.ray_nodes import ADDRESS
from .conftest import study_in
from .studied import Studied

pytestmark = pytest.mark.slow


def test_without_the_extra_it_is_named(studied: Studied, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'metaspo\[ray\]'"):
        studied.run()
    assert studied.endpoint.asked.total() == 0


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("ray://127.0.0.1:10001", "run the command on a machine of the cluster, or with 'ray job submit'"),
        ("127.0.0.1:1", "no Ray cluster can be used at 127.0.0.1:1"),
    ],
)
def test_an_address_that_is_none(address: str, says: str, studied: Studied, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ADDRESS, address)
    with pytest.raises(ConfigError) as refused:
        studied.run()
    assert says in str(refused.value) and "\n" not in str(refused.value)
    studied.check()


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"base": {"batch": True}}, "asked in batches"),
        ({"optimizer": {"batch": True}}, "asked in batches"),
        ({"base": "object:mine-1"}, "was given as a Python object"),
    ],
)
def test_what_stays_in_one_process(config: dict[str, Any], says: str, tmp_path: Path, endpoint: NotedEndpoint) -> None:
    given = {key: {**endpoint.model(), **value} if isinstance(value, dict) else value for key, value in config.items()}
    with pytest.raises(ConfigError, match=says):
        study_in(
            tmp_path, endpoint, config={"base": endpoint.model(), "optimizer": endpoint.model(), "preset": "quick", **given}
        ).run()
    assert endpoint.asked.total() == 0


def test_an_unknown_engine_and_a_store_that_goes_with_the_job(studied: Studied) -> None:
    with pytest.raises(ConfigError, match="no engine for studies; there is ray"):
        studied.run("spark")
    folder = studied.file.parent / "working_dir_files" / "_ray_pkg_1"
    folder.mkdir(parents=True)
    with pytest.raises(ConfigError, match="removes with the job"):
        studied.run(store="working_dir_files/_ray_pkg_1/study.db")


def test_another_version_on_a_node_is_named() -> None:
    found = Outcome.model_validate(work(None, {"versions": ["9.9", written_by()[1]]}))
    assert found.raised and isinstance(found.reason(), ConfigError)
    assert found.said.startswith("on node ") and "metaspo 9.9" in found.said


def test_folders_of_those_who_were_killed_are_removed_and_others_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders.tempfile, "gettempdir", lambda: str(tmp_path))
    with own_store("study", "12345678-run") as living:
        living.write_text("at work")
        dead = Path(str(living.parent).replace("12345678", "87654321"))
        dead.mkdir()
        (dead / "run.db").write_text("killed")
        Path(f"{dead}.lock").touch()
        assert list(left_behind("study")) == [dead / "run.db"]
        assert living.exists() and not dead.exists()
        assert list(left_behind("study")) == []
    assert list(tmp_path.iterdir()) == []


def test_folders_that_somebody_else_has_put_there_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders.tempfile, "gettempdir", lambda: str(tmp_path))
    with own_store("study", "12345678-run") as mine:
        begins = str(mine.parent).partition("12345678")[0]
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "run.db").write_text("made up")
    Path(f"{begins}linked").symlink_to(theirs)
    Path(f"{begins}linked.lock").touch()
    Path(f"{begins}a.lock").symlink_to(theirs / "run.db")
    before = sorted(tmp_path.iterdir())
    assert list(left_behind("study")) == [] and sorted(tmp_path.iterdir()) == before
    if hasattr(os, "getuid") and os.getuid() == 0:
        (owned := Path(f"{begins}owned")).mkdir()
        (owned / "run.db").write_text("made up")
        Path(f"{begins}owned.lock").touch()
        os.chown(owned, 12345, 12345)
        assert list(left_behind("study")) == [] and owned.exists()
