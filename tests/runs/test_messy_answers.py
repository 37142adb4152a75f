"""Tasks of every kind at an endpoint that answers in all the wrong ways: a run stops, goes on, and every score is found again."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from click.testing import CliRunner

import metaspo
from metaspo.cli.main import main
from metaspo.domain.errors import ModelError

from ..helpers.endpoint import Endpoint, completion, cut_off, drop, fail
from .test_conversations import only_run

VALUES = {
    "json": [
        '{"vendor": "acme", "total": {"amount": 12.5}}',
        '{"vendor": "a"} and {"vendor": "b"}',
        '```json\n{"vendor": "Bolt"}\n```',
    ],
    "labels": ["sport, art", "sport, cooking", "[]"],
    "numbers": ["1.250,50", "1,250.50", "Antwort: 12"],
    "talks": ["The answer is no.", "yes and no", "yes"],
    "lengths": ["word word", "word", "\0odd"],
}


async def length(reply: str, row: dict[str, Any]) -> tuple[float, str] | None:
    words = len(reply.split())
    return (max(0.0, 1 - abs(words - row["wanted"]) / 10), f"{words} words") if words != row["wanted"] + 1 else None


def tasks() -> list[metaspo.Task]:
    reply = {"from": "reply"}
    told = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    rows: dict[str, list[Any]] = {
        "json": [{"question": f"Bill {n}", "answer": {"vendor": "acme", "total": {"amount": 12.5 + n % 2}}} for n in range(14)],
        "labels": [{"question": f"Text {n}", "answer": [["sport", "art"], []][n % 2]} for n in range(14)],
        "numbers": [{"question": f"Zahl {n}", "answer": ["1.250,5", "12"][n % 2]} for n in range(14)],
        "talks": [
            {"question": [*told, {"role": "user", "content": f"So {n}?"}], "answer": ["yes", "no"][n % 2]} for n in range(14)
        ],
        "lengths": [{"question": f"Say {n}", "wanted": n % 3} for n in range(14)],
    }
    blocks: dict[str, dict[str, Any]] = {
        "json": {"reader": reply | {"kind": "json"}, "metric": {"kind": "fields", "fields": ["vendor", "total.amount"]}},
        "labels": {"reader": reply | {"kind": "labels", "labels": ["sport", "art"]}, "metric": "set_f1"},
        "numbers": {"reader": reply | {"kind": "number", "decimal": "comma"}, "metric": {"kind": "numeric", "tolerance": 0.01}},
        "talks": {"reader": reply | {"kind": "choice", "labels": ["yes", "no"]}},
        "lengths": {"reader": reply, "metric": f"reward:{__name__}:length"},
    }
    return [
        metaspo.Task(name=name, examples=rows[name], user_prompt=f"Do {name}.\n\n{{question}}", **block)
        for name, block in blocks.items()
    ]


async def messy(request: web.Request, body: dict[str, Any], number: int) -> web.StreamResponse | None:
    """What it answers follows from what it was asked, and what comes in its way from how often it was."""
    if number % 19 == 0:
        return await cut_off(request)
    if number % 23 == 0:
        drop(request)
        return None
    if number % 29 == 0:
        return web.Response(status=502, text="<html>Bad gateway</html>", content_type="text/html")
    if number % 31 == 0:
        return web.Response(
            body='{"choices": [{"message": {"content": "caf\xe9"}}]}'.encode("latin-1"), content_type="application/json"
        )
    text = json.dumps(body["messages"])
    which = int(sha256(text.encode()).hexdigest(), 16)
    value = next((values[which % 3] for name, values in VALUES.items() if f"Do {name}." in text), "yes")
    answer = completion(value, "length" if which % 11 == 0 else "stop")
    message = answer["choices"][0]["message"]
    if which % 7 == 0:
        message["content"] = [{"type": "text", "text": value}]
    elif which % 7 == 1:
        message["content"] = None if which % 2 else ""
    elif which % 7 == 2:
        call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
        answer["choices"][0] |= {
            "finish_reason": "tool_calls",
            "message": {"role": "assistant", "content": None, "tool_calls": [call]},
        }
    elif which % 7 == 3:
        message |= {"content": None, "refusal": "I can't help with that."}
    return web.json_response(answer)


@pytest.mark.long
@pytest.mark.parametrize("method", ["common_first", "metaspo"])
def test_every_score_is_found_again(method: str, tmp_path: Path) -> None:
    endpoint, store = Endpoint(messy), tmp_path / "messy.db"

    async def until(request: web.Request, body: dict[str, Any], number: int) -> web.StreamResponse | None:
        return await messy(request, body, number) if number < 40 else fail(401, "no such key")

    spec = endpoint.spec(seed=1, concurrency=4)
    sizes = {"train_size": 3, "validation_size": 3, "test_size": 4, "iterations": 1}
    try:
        endpoint.act = until
        with pytest.raises(ModelError, match="no such key"):
            metaspo.optimize(tasks=tasks(), base=spec, optimizer=spec, preset="quick", method=method, store=store, **sizes)
        endpoint.act = messy
        result = metaspo.resume(only_run(store), store=store)
        assert len(result.report.tasks) == 5
    finally:
        endpoint.close()
    for words in (["verify"], ["show", "--errors"], ["show", "--json"], ["history"], ["export"]):
        done = CliRunner().invoke(main, [*words, "--store", str(store)])
        assert done.exit_code == 0, f"{words}: {done.output}"
        assert words != ["verify"] or "All is as recorded in 1 run" in " ".join(done.output.split())
