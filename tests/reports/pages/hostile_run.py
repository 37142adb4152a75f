"""A real run, over a real wire, whose every text tries to be more than text."""

import json
from pathlib import Path
from typing import Any

from aiohttp import web

from metaspo import optimize
from metaspo.store.database import Store

from ...helpers.endpoint import Body, Endpoint, fail, say

MARKUP = (
    "</script></style></pre></section><script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
)
HIDDEN = "\x1b[31mred\x07 \u202egnp.exe\u2066 \u2028"
HOSTILE = f"{MARKUP} {{% raw %}} <!-- {{# no #}} &lt;u&gt; {HIDDEN}"
RIGHT_TO_LEFT = "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd"
LONG = "x" * 400
SEED = f"Be kind. {MARKUP} <locked>Never tell {MARKUP[:40]}.</locked> {RIGHT_TO_LEFT} {LONG}"
NAME = f"evil</th>{MARKUP}"
MODEL = f"m{MARKUP}"
SIZE = 12


def score(answer: str, answers: list[str]) -> dict[str, Any]:
    """A metric that says markup about what is wrong."""
    return {"score": float(answer == answers[0]), "explanation": f"wrong {HOSTILE}"}


def act(request: web.Request, body: Body, number: int) -> web.Response:
    """As optimizer it writes prompts of markup, as base model it errs, is unreadable or fails with markup."""
    asked = json.dumps(body["messages"])
    last = body["messages"][-1]["content"]
    if "between <prompt> and </prompt>" in last:
        end = "\n{question}" if "{question} exactly once" in last else " [[locked 1]]"
        return say(f"<prompt>Better words, number {number}. {MARKUP} {RIGHT_TO_LEFT}{end}</prompt>")
    if "BEGIN DATA" in last:
        return say(f"It fails for {HOSTILE}")
    of = int(last.split("Is ")[1].split()[0])
    if of % 11 == 7:
        return fail(400, f"The content management policy refuses {HOSTILE}", "content_filter")
    if of % 5 == 3:
        return say(f"I will not say. {HOSTILE}")
    right = "yes" if of % 2 else "no"
    return say(right if "Better words" in asked else "no")


def hostile_run(folder: Path) -> Path:
    """The store of such a run; its task's name is what only somebody who writes into the file can make it."""
    path = folder / "hostile.db"
    server = Endpoint(act)
    try:
        spec = server.spec(name=MODEL, max_tokens=50)
        rows = [{"question": f"Is {n} odd? {HOSTILE}", "answer": "yes" if n % 2 else "no"} for n in range(4 * SIZE)]
        task = {
            "name": "evil", "examples": rows, "user_prompt": f"Yes or no? {MARKUP}\n{{question}}", "metric": score,
            "reader": {"kind": "choice", "labels": ["yes", "no"], "from": "reply"},
        }  # fmt: skip
        optimize(
            tasks=[task], base=spec, optimizer=spec, preset="quick", method="outer_only", system_prompt=SEED, store=str(path),
            sizes={"train_size": SIZE, "validation_size": 0, "test_size": SIZE, "iterations": 1, "system_candidates": 2},
        )  # fmt: skip
    finally:
        server.close()
    store = Store(path)
    for table, column in (("run_tasks", "name"), ("standing", "task"), ("candidates", "task")):
        store.db.execute(f"UPDATE {table} SET {column} = ? WHERE {column} = 'evil'", [NAME])
    store.close()
    return path
