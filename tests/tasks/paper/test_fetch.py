"""Fetching: from a local clone of a repository through the real library, from files, and when things go wrong."""

import gzip
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from metaspo.domain.errors import HubError, MissingExtraError, TaskError
from metaspo.tasks.catalogue import open_task
from metaspo.tasks.paper import fetch, hub
from metaspo.tasks.paper.benchmarks import EXAMPLES, MANIFEST, Benchmark, benchmarks
from metaspo.tasks.splits import Sizes


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "metaspo" / "tasks"


def lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)


def cloned(id: str, clone: Path, **changes: Any) -> Benchmark:
    """A task of the catalogue whose repository is a local folder."""
    task = benchmarks()[id]
    source = {**task.source.model_dump(), "hub": str(clone), "config": None, **changes.pop("source", {})}
    return Benchmark.model_validate({**task.model_dump(by_alias=True), "source": source, **changes})


def question(number: int, subject: str = "Anatomy", cop: int = 1) -> dict[str, Any]:
    options = {key: f"bone {key} {number}" for key in ("opa", "opb", "opc", "opd")}
    return {"id": str(number), "question": f"Which bone is number {number}?", **options, "cop": cop, "subject_name": subject}


def test_a_task_from_whole_splits(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "library")
    train = [question(number % 40, cop=number % 4) for number in range(60)]
    lines(tmp_path / "clone" / "train.jsonl", [*train, question(99, "Dental"), question(100), question(50, cop=-1)])
    lines(tmp_path / "clone" / "validation.jsonl", [question(number) for number in range(100, 110)])
    task = cloned("medical/anatomy", tmp_path / "clone", train_size=30, test_size=8)
    manifest = fetch.fetch(task, 0)
    assert manifest == json.loads((cache / "medical" / "anatomy" / MANIFEST).read_text())
    counts = manifest["splits"]
    assert [counts[split]["examples"] for split in ("train", "test")] == [30, 8]
    dropped = counts["train"]["dropped"]
    assert dropped["no label"] == 1 and sum(dropped.values()) + 30 == 62 and counts["test"]["dropped"] == {"not drawn": 2}
    assert sum(counts["train"]["answers"].values()) == 30 and counts["test"]["answers"] == {"B": 8}
    assert manifest["source"]["where"] == {"subject_name": "Anatomy"} and manifest["seed"] == manifest["shared_questions"] == 0
    assert manifest["licence"].startswith("Apache-2.0")
    data = (cache / "medical" / "anatomy" / EXAMPLES).read_bytes()
    assert manifest["sha256"] == {EXAMPLES: hashlib.sha256(data).hexdigest()}
    opened = open_task("medical/anatomy", Sizes(10, 5, 100), 0)
    assert [len(opened.splits[split]) for split in ("train", "validation", "test")] == [10, 5, 8]
    assert fetch.fetch(task, 0)["sha256"] == manifest["sha256"] != fetch.fetch(task, 1)["sha256"]


def test_a_task_streamed_from_files_with_its_context_retrieved(tmp_path: Path) -> None:
    def record(number: int) -> dict[str, Any]:
        passages = [{"docid": f"{number}-{i}", "title": f"Lake {number}", "text": f"Lake {number} fact {i}."} for i in range(6)]
        asked = {"query_id": str(number), "query": f"how deep is lake {number}?", "answers": [f"{number} m", "deep"]}
        return {**asked, "positive_passages": passages[:1], "negative_passages": passages[1:]}

    lines(tmp_path / "clone" / "wq-train.jsonl.gz", [record(number) for number in range(100, 130)])
    lines(tmp_path / "clone" / "wq-dev.jsonl.gz", [record(number) for number in range(130, 140)])
    task = cloned("grounding/web_qa", tmp_path / "clone", train_size=15, test_size=10, source={"limit": 20})
    manifest = fetch.fetch(task, 0)
    assert manifest["context"] == 5 and manifest["source"]["limit"] == 20
    assert [one["examples"] for one in manifest["splits"].values()] == [15, 10]
    [first, *_] = open_task("grounding/web_qa", Sizes(15, 0, 10), 0).splits["test"]
    context, asked = first.question.split("\nQuestion: how deep is lake ")
    assert context.count("\n") == 4 and context.count(f"[Lake {asked[:3]}]") == 5
    assert first.answers == (f"{asked[:3]} m", "deep")


def test_records_in_another_form_are_named(tmp_path: Path, cache: Path) -> None:
    lines(tmp_path / "clone" / "a.jsonl", [{"stars": 5, "body": "x"}])
    task = cloned("review/pet", tmp_path / "clone", source={"train": ["a.jsonl"], "test": ["a.jsonl"]})
    with pytest.raises(HubError, match=r"not in the form that 'amazon' knows.*its fields are stars, body.*--from DIR"):
        fetch.fetch(task, 0)
    lines(tmp_path / "clone" / "a.jsonl", [{"rating": 9.0, "title": "x", "text": "y"}])
    with pytest.raises(HubError, match=r"no train examples of 'review/pet'.*1 no rating from 1 to 5"):
        fetch.fetch(task, 0)
    with pytest.raises(HubError, match=r"could not be read from .*--from DIR"):
        list(hub.records(task.source, "gone.jsonl"))
    assert not cache.exists()


def authors(folder: Path, name: str, train: int = 6, test: int = 4, **more: Any) -> Path:
    rows = [
        {"question": f"Text {number} of {name}?", "answer": "yes" if number % 2 else "no"} for number in range(train + test)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"train": rows[:train], "test": rows[train:], **more}), encoding="utf-8")
    return path


def test_the_authors_files_are_found_under_their_names(tmp_path: Path) -> None:
    tasks = benchmarks()
    expected = {
        "safety/anthropic_harmless": authors(tmp_path / "safety", "antropic_harmless"),
        "medical/anatomy": authors(tmp_path / "medmcqa", "anatomy"),
        "review/pet": authors(tmp_path / "review", "pet"),
        "safety/ethos": authors(tmp_path, "ethos"),
        "safety/liar": None,
    }
    assert {id: fetch.local_file(tasks[id], tmp_path) for id in expected} == expected
    assert fetch.local_file(tasks["safety/liar"], expected["safety/ethos"] or tmp_path) == expected["safety/ethos"]


def test_an_authors_file_keeps_its_rows_and_splits(tmp_path: Path) -> None:
    path = authors(tmp_path, "ethos")
    data = json.loads(path.read_text())
    data["train"] += [data["test"][0], data["train"][0]]
    data["test"].append({"question": "Text 77?", "answer": "No", "sentiment": "calm"})
    path.write_text(json.dumps(data))
    manifest = fetch.adopt(benchmarks()["safety/ethos"], path)
    assert manifest["splits"] == {
        "train": {"examples": 6, "dropped": {"in test": 1, "asked twice": 1}, "answers": {"no": 3, "yes": 3}},
        "test": {"examples": 5, "dropped": {}, "answers": {"No": 1, "no": 2, "yes": 2}},
    }
    assert manifest["source"] == {"file": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    task = open_task("safety/ethos", Sizes(6, 0, 9), 0)
    assert [len(task.splits[split]) for split in ("train", "test")] == [6, 5]
    assert {example.answer for example in task.examples.values()} == {"yes", "no"}


def test_an_authors_file_with_several_answers_and_with_numbers(tmp_path: Path) -> None:
    rows = [{"question": f"Q{number}", "answer": str(number), "answers": [str(number), f"no. {number}"]} for number in range(4)]
    (tmp_path / "squad.json").write_text(json.dumps({"train": rows[:2], "test": rows[2:]}))
    fetch.adopt(benchmarks()["grounding/squad"], tmp_path / "squad.json")
    task = open_task("grounding/squad", Sizes(2, 0, 2), 0)
    assert {example.answers for example in task.splits["test"]} == {("2", "no. 2"), ("3", "no. 3")}
    rows = [{"question": f"How many cups of {number}?", "answer": number} for number in range(4)]
    (tmp_path / "c.json").write_text(json.dumps({"train": rows[:2], "test": rows[2:]}))
    fetch.adopt(benchmarks()["reasoning/reasoning_colored_objects"], tmp_path / "c.json")
    task = open_task("reasoning/reasoning_colored_objects", Sizes(2, 0, 2), 0)
    for example in task.splits["test"]:
        for answer in example.answers:
            reply = f"<answer>x</answer> So: <answer>({answer.capitalize()}).</answer>"
            assert task.score(task.read(reply) or "", example) == 1


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('[{"question": "a", "answer": "yes"}]', "expected the authors' form"),
        ('{"train": [{"question": "a", "answer": "yes"}], "test": []}', "expected the authors' form"),
        (
            '{"train": [{"question": "a", "answer": "yes"}], "test": [{"question": "b", "answer": "maybe"}]}',
            r"test\[0\].*'maybe'",
        ),
        ("", "holds no examples"),
    ],
)
def test_a_file_that_is_not_in_the_authors_form(text: str, complaint: str, tmp_path: Path, cache: Path) -> None:
    (tmp_path / "ethos.json").write_text(text)
    with pytest.raises(TaskError, match=complaint):
        fetch.adopt(benchmarks()["safety/ethos"], tmp_path / "ethos.json")
    assert not cache.exists()


def test_a_failure_at_the_last_moment_leaves_what_was_there(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = benchmarks()["safety/ethos"]
    before = fetch.adopt(task, authors(tmp_path, "ethos"))
    replace = os.replace

    def full(source: Path, target: Path) -> None:
        if source.name == "new":
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(TaskError, match="cannot be written: No space left on device; nothing was changed there"):
        fetch.adopt(task, authors(tmp_path, "ethos", train=9))
    assert json.loads((task.place / MANIFEST).read_text()) == before
    assert len(open_task(task.id, Sizes(6, 0, 9), 0).splits["train"]) == 6
    assert [path.name for path in cache.glob("safety/*")] == ["ethos"]


def test_what_a_killed_fetch_left_is_swept_up_a_day_later(tmp_path: Path, cache: Path) -> None:
    old, young = (cache / "safety" / name / "new" for name in (".new-old", ".new-young"))
    for folder in (old, young):
        folder.mkdir(parents=True)
    os.utime(old.parent, (time.time() - 2 * fetch.STALE,) * 2)
    fetch.adopt(benchmarks()["safety/ethos"], authors(tmp_path, "ethos"))
    assert sorted(path.name for path in (cache / "safety").iterdir()) == [".new-young", "ethos"]


@pytest.mark.long
def test_killed_anywhere_it_leaves_whole_tasks_or_none(tmp_path: Path, cache: Path) -> None:
    for task in benchmarks().values():
        if task.folder == "safety":
            authors(tmp_path / "data", task.name, train=4000, test=4000)
    command = [sys.executable, "-m", "metaspo", "tasks", "fetch", "safety", "--from", str(tmp_path / "data")]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while not list(cache.glob("safety/[a-z]*")) and running.poll() is None:
        time.sleep(0.005)
    running.kill()
    running.wait()
    there = [path for path in cache.glob("safety/*") if not path.name.startswith(".")]
    assert there and (running.returncode == -signal.SIGKILL or len(there) == 6)
    for folder in there:
        manifest = json.loads((folder / MANIFEST).read_text())
        assert manifest["sha256"][EXAMPLES] == hashlib.sha256((folder / EXAMPLES).read_bytes()).hexdigest()


@pytest.mark.long
def test_an_unreachable_hub_is_one_clear_message(tmp_path: Path, cache: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{closed.getsockname()[1]}"
        done = subprocess.run(
            [sys.executable, "-m", "metaspo", "tasks", "fetch", "medical"],
            env={**os.environ, "HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path / "hf")},
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stdout) == (1, "")
    [message] = done.stderr.splitlines()
    assert message.startswith(f"error: the data set openlifescienceai/medmcqa could not be read from {endpoint}: ")
    assert message.endswith("give local files in the authors' JSON form with --from DIR")
    assert not cache.exists()


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'metaspo\[hub\]'"):
        fetch.fetch(benchmarks()["medical/anatomy"], 0)
    assert not cache.exists()
