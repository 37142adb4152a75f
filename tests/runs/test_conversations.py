"""Whole runs on conversations that show images: killed, resumed, and found again without any file but the store."""

import base64
import json
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from click.testing import CliRunner

import metaspo
from metaspo import Result
from metaspo.cli.main import main
from metaspo.domain.errors import ModelError, TaskError
from metaspo.reports.verification.verify import averify
from metaspo.runs.config import config_of, read_config
from metaspo.runs.plan import plan
from metaspo.store import calls, evaluations, images
from metaspo.store.database import Store, open_store

from ..helpers import forked
from ..helpers.endpoint import Endpoint, fail, say
from ..helpers.pictures import png
from .test_bad_days import answer, what

EARLIER = "I have looked at the other ones."
CALL = {"id": "c1", "type": "function", "function": {"name": "measure", "arguments": "{}"}}


def conversation(number: int) -> list[dict[str, Any]]:
    picture = {"type": "image_url", "image_url": {"url": f"pictures/{number}.png"}}
    turns: list[dict[str, Any]] = [
        {"role": "system", "content": "You look at pictures."},
        {"role": "user", "content": f"Look at picture {number} too."},
        {"role": "assistant", "content": EARLIER},
        {"role": "user", "content": [{"type": "text", "text": f"Is grey {number} bright?"}, picture]},
    ]
    if number % 2:
        turns += [
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "tool", "content": f"It is {number}.", "tool_call_id": "c1"},
        ]
    return [*turns, {"role": "assistant", "content": "yes" if number % 3 else "no"}]


def laid(folder: Path, size: int = 40) -> Path:
    """A task file of the field: chats as for fine-tuning, with pictures beside them."""
    (folder / "pictures").mkdir(parents=True)
    for number in range(size):
        (folder / "pictures" / f"{number}.png").write_bytes(png(number))
    rows = [json.dumps({"messages": conversation(number)}) for number in range(size)]
    (folder / "chats.jsonl").write_text("\n".join(rows))
    task = {
        "name": "grey", "examples": "chats.jsonl", "question": "messages", "user_prompt": "Yes or no?\n{question}",
        "reader": {"kind": "choice", "labels": ["yes", "no"], "from": "reply"},
    }  # fmt: skip
    (folder / "task.yaml").write_text(json.dumps(task))
    return folder / "task.yaml"


def config(folder: Path, endpoint: Endpoint, store: Path) -> dict[str, Any]:
    model = endpoint.spec(seed=1, concurrency=8)
    return {
        "tasks": [str(folder / "task.yaml")], "base": model, "optimizer": model, "preset": "quick", "test_size": 10,
        "method": "metaspo", "store": str(store),
    }  # fmt: skip


def only_run(path: Path) -> str:
    with open_store(path) as store:
        [run] = [one for (one,) in store.db.execute("SELECT id FROM runs")]
    return str(run)


@pytest.fixture
def done(endpoint: Endpoint, tmp_path: Path) -> tuple[Result, Path, Path]:
    endpoint.act = lambda request, body, number: say(answer(body))
    folder, store = tmp_path / "data", tmp_path / "done.db"
    laid(folder)
    return metaspo.optimize(**config(folder, endpoint, store)), folder, store


@pytest.mark.long
async def test_a_moved_store_is_verified_without_the_files(done: tuple[Result, Path, Path], tmp_path: Path) -> None:
    result, folder, store = done
    assert result.stopped is None
    moved = tmp_path / "elsewhere" / "moved.db"
    moved.parent.mkdir()
    shutil.move(store, moved)
    shutil.rmtree(folder)
    found = await averify(store=moved)
    assert found.well and found.findings.checked["image"] > 20, found.findings
    db = Store(moved)
    [hash] = db.db.execute("SELECT hash FROM images LIMIT 1").fetchone()
    db.db.execute("UPDATE images SET content = ? WHERE hash = ?", [png(255), hash])
    lost = db.db.execute("SELECT hash FROM images WHERE hash != ? LIMIT 1", [hash]).fetchone()[0]
    db.db.execute("DELETE FROM images WHERE hash = ?", [lost])
    db.db.execute("UPDATE examples SET messages = replace(messages, 'other ones', 'others') WHERE rowid = 1")
    db.close()
    told = {(one.what, one.found) for one in (await averify(store=moved)).findings.differences}
    assert ("image", "no such image") in told and {what for what, _ in told} >= {"image", "example", "reply"}


@pytest.mark.long
def test_bytes_are_kept_once_and_the_optimizer_sees_every_turn(done: tuple[Result, Path, Path], endpoint: Endpoint) -> None:
    result, _, path = done
    asked = [body["messages"] for body in endpoint.seen if body["messages"][-1]["role"] != "user" or len(body["messages"]) > 2]
    assert asked and all("data:image/png;base64," in json.dumps(messages) for messages in asked)
    assert all([one["role"] for one in messages[:4]] == ["system", "user", "assistant", "user"] for messages in asked)
    assert all(messages[0]["content"].endswith("\n\nYou look at pictures.") for messages in asked)
    assert all(messages[3]["content"][0]["text"].startswith(("Yes or no?\n", "Prompt")) for messages in asked)
    store = Store(path)
    assert not store.db.execute("SELECT count(*) FROM calls WHERE request LIKE '%base64%'").fetchone()[0]
    kept = store.db.execute("SELECT count(*), count(DISTINCT hash) FROM images").fetchone()
    [task] = evaluations.run_tasks(store.db, result.run)
    examples = evaluations.examples(store.db, task.task)
    assert kept == (len(examples), len(examples)) and all(len(one.messages) >= 4 for one in examples)
    data = [text for key in calls.keys_of(store.db, "optimizer") for _, text in calls.requests(store.db, [key])[key]]
    failing = [text for text in data if isinstance(text, str) and "BEGIN DATA" in text]
    assert failing and all(EARLIER in text and "[image sha256:" in text for text in failing)
    assert all(base64.b64encode(png(1)).decode() not in str(text) for text in data)
    store.close()


@pytest.mark.long
@pytest.mark.parametrize("after", [40, 110])
def test_a_run_that_is_killed_ends_the_same(
    done: tuple[Result, Path, Path], endpoint: Endpoint, tmp_path: Path, after: int
) -> None:
    result, folder, _ = done
    written = tmp_path / "config.yaml"
    store = tmp_path / "killed.db"
    written.write_text(json.dumps(config(folder, endpoint, store)))
    first = len(endpoint.seen)
    command = [sys.executable, "-m", "metaspo", "optimize", str(written)]
    process = forked.Popen(command, stdout=forked.DEVNULL, stderr=forked.DEVNULL)

    def act(request: Any, body: Any, number: int) -> Any:
        if number == first + after:
            process.kill()
        return say(answer(body))

    endpoint.act = act
    assert process.wait(120) == -signal.SIGKILL
    endpoint.act = lambda request, body, number: say(answer(body))
    again = metaspo.resume(only_run(store), store=store)
    assert what(again) == what(result)


def test_another_picture_under_the_same_name_is_another_task(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.act = lambda request, body, number: say(answer(body)) if number < 30 else fail(401, "no such key")
    folder, store = tmp_path / "data", tmp_path / "stopped.db"
    laid(folder)
    with pytest.raises(ModelError, match="no such key"):
        metaspo.optimize(**config(folder, endpoint, store))
    for file in (folder / "pictures").iterdir():
        file.write_bytes(png(200 - int(file.stem)))
    with pytest.raises(TaskError, match="task 'grey' has changed since run"):
        metaspo.resume(only_run(store), store=store)


def test_an_endpoint_that_sees_nothing_stops_the_run_in_its_words(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.act = lambda request, body, number: fail(400, "image input is not supported by this model")
    laid(tmp_path / "data")
    with pytest.raises(ModelError, match="image input is not supported by this model"):
        metaspo.optimize(**config(tmp_path / "data", endpoint, tmp_path / "blind.db"))
    assert len(endpoint.seen) <= 4


def test_where_images_are_refused_it_is_said_what_to_do(endpoint: Endpoint, tmp_path: Path) -> None:
    laid(tmp_path / "data")
    page = "<html><h1>413 Request Entity Too Large</h1></html>"
    endpoint.act = lambda request, body, number: web.Response(status=413, text=page, content_type="text/html")
    with pytest.raises(ModelError, match=r"HTTP 413: 413 Request.*; the request holds 1 image: make them smaller"):
        metaspo.optimize(**config(tmp_path / "data", endpoint, tmp_path / "large.db"))
    endpoint.act = lambda request, body, number: fail(400, "image input is not supported by this model")
    with pytest.raises(ModelError, match="the request holds 1 image: name a model that sees them"):
        metaspo.optimize(**config(tmp_path / "data", endpoint, tmp_path / "blind.db"))


def test_a_plan_counts_images(endpoint: Endpoint, tmp_path: Path) -> None:
    laid(tmp_path / "data")
    given = config(tmp_path / "data", endpoint, tmp_path / "none.db")
    [base] = [one for one in plan(config_of(**given)) if one.role == "base" and one.level == "test"]
    assert 1_000 * base.calls < base.input_tokens
    assert "1,000 tokens an image" in base.assumes


async def test_images_are_read_where_they_are_asked_for(store_path: Path) -> None:
    store = Store(store_path)
    await store.run(images.save, [("a", "image/gif", b"GIF89a"), ("a", "image/gif", b"other")])
    assert await store.run(images.data_urls, ["a", "b"]) == {"a": "data:image/gif;base64,R0lGODlh"}
    assert await store.run(images.missing, ["a", "b"]) == ["b"]
    assert await store.run(images.sizes, ["a", "b"]) == {"a": 6}
    store.close()


def test_a_trial_shows_pictures_by_their_hash_and_sends_them(endpoint: Endpoint, tmp_path: Path, monkeypatch: Any) -> None:
    task = laid(tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    base = f"server:m,base_url={endpoint.url}"
    tried = CliRunner().invoke(main, ["tasks", "try", str(task), "--base", base, "--json"])
    assert tried.exit_code == 0, tried.output
    [trial] = json.loads(tried.stdout)
    assert len(trial["examples"]) == len(endpoint.seen) == 5
    assert all("data:image/png;base64," in json.dumps(body) for body in endpoint.seen)
    assert all("sha256:" in json.dumps(one["messages"]) and one["messages"][0]["role"] == "system" for one in trial["examples"])
    shown = CliRunner().invoke(main, ["tasks", "try", str(task), "--base", base])
    assert shown.exit_code == 0 and "[image sha256:" in shown.output and EARLIER in shown.output


@pytest.mark.long
def test_rows_in_a_config_name_pictures_beside_it(endpoint: Endpoint, tmp_path: Path, monkeypatch: Any) -> None:
    endpoint.act = lambda request, body, number: say(answer(body)) if number < 30 else fail(401, "no such key")
    (tmp_path / "here" / "shots").mkdir(parents=True)
    for number in range(40):
        (tmp_path / "here" / "shots" / f"{number}.png").write_bytes(png(number))
    rows = [{"question": "Bright?", "answer": "yes" if n % 2 else "no", "shot": f"{n}.png"} for n in range(40)]
    reader = {"kind": "choice", "labels": ["yes", "no"], "from": "reply"}
    task = {"name": "t", "examples": rows, "images": "shot", "user_prompt": "Yes or no?\n{question}", "reader": reader}
    given = config(tmp_path, endpoint, Path("one.db")) | {"tasks": [task | {"image_folder": "shots"}]}
    (tmp_path / "here" / "run.yaml").write_text(json.dumps(given))
    with pytest.raises(ModelError, match="no such key"):
        metaspo.optimize(read_config(tmp_path / "here" / "run.yaml"))
    endpoint.act = lambda request, body, number: say(answer(body))
    monkeypatch.chdir(tmp_path)
    store = tmp_path / "here" / "one.db"
    assert metaspo.resume(only_run(store), store=store).stopped is None
    sent = [body["messages"][-1]["content"] for body in endpoint.seen]
    shown = [content for content in sent if isinstance(content, list)]
    assert shown and all(content[1]["image_url"]["url"].startswith("data:image/png;base64,") for content in shown)


def test_a_plain_task_of_a_config_is_recorded_as_before(endpoint: Endpoint, tmp_path: Path) -> None:
    rows = [{"question": f"{n}?", "answers": ["yes", "y"]} for n in range(40)]
    task = {"name": "t", "examples": rows, "user_prompt": "Say: {question}", "reader": {"kind": "text"}}
    assert config_of(**config(tmp_path, endpoint, tmp_path / "n.db") | {"tasks": [task]}).tasks == [task]
