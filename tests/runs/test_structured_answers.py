"""Runs whose answers are JSON, or sets of labels: over HTTP, recorded, shown, verified and gone on with."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from click.testing import CliRunner

import metaspo
from metaspo import Task
from metaspo.cli.main import main
from metaspo.models import batches, collecting

from ..helpers.batch_host import BatchHost
from ..helpers.endpoint import Endpoint, completion, say

SCHEMA = {
    "type": "object", "properties": {"name": {"type": "string"}, "total": {"type": "number"}, "tags": {"type": "array"}},
    "required": ["name", "total"],
}  # fmt: skip
GOOD = "Copy every number."


def gold(at: int) -> dict[str, Any]:
    return {"name": f"Shop {at}", "total": at + 0.5, "tags": ["food", f"t{at}"]}


def invoices(size: int = 24, **settings: Any) -> Task:
    rows = [{"question": f"Invoice of shop {at}", "answer": gold(at)} for at in range(size)]
    block = {
        "name": "invoices", "examples": rows, "user_prompt": "Extract as JSON.\n{question}",
        "reader": {"kind": "json", "schema": SCHEMA},
        "metric": {"kind": "fields", "fields": {"name": "exact", "total": {"kind": "numeric", "weight": 2}, "tags": "set"}},
    }  # fmt: skip
    return Task.model_validate(block | settings)


def clerk(request: web.Request, body: Any, number: int) -> web.Response:
    """As base it forgets totals and a tag unless the system prompt tells it; as optimizer it finds out."""
    text = body["messages"][-1]["content"]
    if "<prompt>" in text:
        return say(f"<prompt>{GOOD}</prompt>")
    if "BEGIN DATA" in text:
        return say("Totals are missing.")
    at = int(text.split()[-1])
    if at == 7:
        return say('{"name": "Shop 7", "total": ')
    answer = gold(at)
    if GOOD not in body["messages"][0]["content"]:
        answer = {"name": answer["name"], "tags": ["food"]}
    return say(f"Here you are:\n```json\n{json.dumps(answer)}\n```")


def run(task: Task, store: Path, endpoint: Endpoint, **settings: Any) -> Any:
    model = endpoint.spec(concurrency=8)
    return metaspo.optimize(
        tasks=[task], base=model, optimizer=model, method="common_first", system_steps=2, user_steps=0, iterations=1, store=store, preset="paper",
        train_size=6, validation_size=4, test_size=12, **settings,
    )  # fmt: skip


@pytest.fixture
def found(store_path: Path, endpoint: Endpoint) -> Any:
    endpoint.act = clerk
    return run(invoices(), store_path, endpoint)


def test_the_report_has_the_score_of_each_field(found: Any, store_path: Path, endpoint: Endpoint) -> None:
    [task] = found.report.tasks
    unread = task.unparsed_after
    assert [(one.field, one.examples) for one in task.fields] == [("name", 12), ("total", 12), ("tags", 12)]
    read = 1 - unread
    assert [one.before for one in task.fields] == pytest.approx([read, 0, read * 2 / 3])
    assert [one.after for one in task.fields] == pytest.approx([read, read, read])
    weights = (1, 2, 1)
    for side in ("before", "after"):
        mean = sum(getattr(one, side) * weight for one, weight in zip(task.fields, weights, strict=True)) / 4
        assert getattr(task, side) == pytest.approx(mean)
    shown = CliRunner().invoke(main, ["show", "last", "--store", str(store_path)])
    assert shown.exit_code == 0 and "by field of the answer" in shown.output and "total" in shown.output
    data = json.loads(CliRunner().invoke(main, ["show", "last", "--json", "--store", str(store_path)]).output)
    assert [one["field"] for one in data["tasks"][0]["fields"]] == ["name", "total", "tags"]


def test_the_optimizer_is_told_which_fields_are_wrong(found: Any, endpoint: Endpoint) -> None:
    asked = [body["messages"][-1]["content"] for body in endpoint.seen]
    told = [text for text in asked if "BEGIN DATA" in text]
    assert told
    assert any("'total' is a required property" in text and "total: expected" in text for text in told)


def test_every_score_is_found_again_and_a_run_goes_on(found: Any, store_path: Path, endpoint: Endpoint) -> None:
    verified = metaspo.verify(store=store_path)
    assert verified.well and verified.findings.checked["outcome"]
    paid = len(endpoint.seen)
    again = metaspo.resume(store=store_path)
    assert len(endpoint.seen) == paid and again.report.tasks == found.report.tasks
    with closing(sqlite3.connect(store_path)) as db, db:
        [[id, at, answer]] = db.execute("SELECT evaluation, position, answer FROM outcomes WHERE score = 1 LIMIT 1").fetchall()
        db.execute(
            "UPDATE outcomes SET answer = ? WHERE evaluation = ? AND position = ?", [answer.replace("Shop", "shop"), id, at]
        )
    assert not metaspo.verify(store=store_path).well


def test_replies_are_held_to_the_schema(store_path: Path, endpoint: Endpoint) -> None:
    endpoint.act = clerk
    task = invoices(constrain=True)
    model = endpoint.spec(concurrency=8, constrain="structured_outputs")
    metaspo.optimize(tasks=[task], base=model, method="fixed", store=store_path, train_size=4, validation_size=0, test_size=6)
    assert endpoint.seen
    assert all(body["structured_outputs"] == {"json": SCHEMA} for body in endpoint.seen)
    assert metaspo.verify(store=store_path).well


def test_a_schema_file_is_found_from_anywhere(
    store_path: Path, endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint.act = clerk
    (tmp_path / "schema.json").write_text(json.dumps(SCHEMA))
    block = invoices().model_dump(mode="json", by_alias=True, exclude_defaults=True)
    block["reader"]["schema"] = "schema.json"
    monkeypatch.chdir(tmp_path)
    model = endpoint.spec(concurrency=8)
    settings: dict[str, Any] = {"train_size": 4, "validation_size": 0, "test_size": 6, "store": store_path}
    metaspo.optimize(tasks=[block], base=model, method="fixed", **settings)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    paid = len(endpoint.seen)
    metaspo.resume(store=store_path)
    assert len(endpoint.seen) == paid
    (tmp_path / "schema.json").unlink()
    assert metaspo.verify(store=store_path).well


def test_lists_of_labels_come_out_of_batches_as_out_of_single_calls(
    store_path: Path, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "SETTLED", 0.05)
    monkeypatch.setattr(collecting, "FIRST_LOOK", 0.02)

    def topics(body: Any) -> Any:
        schema = body["response_format"]["json_schema"]["schema"]
        assert schema["properties"]["answer"]["items"]["enum"] == ["art", "sport"]
        return completion('{"answer": ["sport", "art"]}')

    host = BatchHost(topics)
    host.act = lambda request, body, number: None
    endpoint.act = lambda request, body, number: web.json_response(topics(body))
    rows = [{"question": f"Text {at}", "answer": "sport, art"} for at in range(12)]
    task = Task.model_validate(
        {"name": "topics", "examples": rows, "user_prompt": "Name the topics.\n{question}", "constrain": True,
         "reader": {"kind": "labels", "labels": ["art", "sport"], "from": "reply"}, "metric": "set_f1"}
    )  # fmt: skip
    settings: dict[str, Any] = {"train_size": 3, "validation_size": 0, "test_size": 6, "method": "fixed"}
    for base, path in ((host.spec(batch=True), store_path), (endpoint.spec(), store_path.with_name("single.db"))):
        found = metaspo.optimize(tasks=[task], base=base | {"constrain": "json_schema"}, store=path, **settings)
        assert found.report.tasks[0].after == 1 and metaspo.verify(store=path).well
    host.close()


def test_a_label_comes_out_of_batches_as_out_of_single_calls(
    store_path: Path, endpoint: Endpoint, make_task: Callable[..., Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "SETTLED", 0.05)
    monkeypatch.setattr(collecting, "FIRST_LOOK", 0.02)
    host = BatchHost(lambda body: completion('{"answer": "yes"}'))
    host.act = lambda request, body, number: None
    endpoint.act = lambda request, body, number: say('{"answer": "yes"}')
    settings: dict[str, Any] = {"train_size": 3, "validation_size": 0, "test_size": 6, "method": "fixed"}
    for base, path in ((host.spec(batch=True), store_path), (endpoint.spec(), store_path.with_name("single.db"))):
        base = base | {"constrain": "json_schema"}
        metaspo.optimize(tasks=[make_task("a", 20, constrain=True)], base=base, store=path, **settings)
        with closing(sqlite3.connect(path)) as db:
            assert db.execute("SELECT DISTINCT reply FROM calls").fetchall() == [("yes",)]
    host.close()


@pytest.mark.long
@pytest.mark.parametrize("metric", ["accuracy", "set_f1", "jaccard"])
def test_sets_of_labels_run_and_are_found_again(
    metric: str, store_path: Path, endpoint: Endpoint, make_task: Callable[..., Task]
) -> None:
    def answer(request: web.Request, body: Any, number: int) -> web.Response:
        at = int(body["messages"][-1]["content"].split()[-1])
        return say(["- sport\n- world", '["art"]', "sport, music", "none"][at % 4])

    endpoint.act = answer
    golds = ["sport|art", ["art"], "world", []]
    rows = [{"question": f"Text {at}", "answer": golds[at % 4]} for at in range(24)]
    reader = {"kind": "labels", "labels": ["art", "sport", "world"], "from": "reply", "none": "none"}
    task = Task.model_validate(
        {"name": "topics", "examples": rows, "user_prompt": "Name the topics.\n{question}", "reader": reader, "metric": metric}
    )
    settings: dict[str, Any] = {"train_size": 4, "validation_size": 0, "test_size": 12, "store": store_path}
    [report] = metaspo.optimize(tasks=[task], base=endpoint.spec(concurrency=8), method="fixed", **settings).report.tasks
    with closing(sqlite3.connect(store_path)) as db:
        rows_ = db.execute("SELECT DISTINCT answer, score, explanation FROM outcomes ORDER BY answer").fetchall()
    half = {"accuracy": 0.0, "set_f1": 0.5, "jaccard": 1 / 3}[metric]
    assert {row[0]: row[1] for row in rows_} == {None: 0, "[]": 1, '["art"]': 1, '["sport", "world"]': pytest.approx(half)}
    said = {row[2] for row in rows_}
    assert {"missing: art; too many: world", "no answer found in the reply: 'music' is none of the labels"} <= said
    assert report.majority is not None and report.fields == []
    assert metaspo.verify(store=store_path).well
