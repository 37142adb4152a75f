"""What a reply that its endpoint cut off says in a tag that it did not close is no answer."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import metaspo

from ..helpers.endpoint import Endpoint, say

REPLIES = [
    ("<answer>yes</answer>", "stop", "yes"),
    ("So <answer>yes", "stop", "yes"),
    ("So <answer>yes", "length", None),
    ("<answer>no</answer> Or <answer>y", "length", None),
    ("<answer>yes</answer> since", "length", "yes"),
    ("&lt;answer&gt;no&lt;/answer&gt;", "stop", "no"),
    ("<answer>no</answer>, as <answer>your answer</answer>", "stop", "no"),
]


def test_an_unclosed_tag_is_read_but_where_the_reply_was_cut_off(
    make_task: Callable[..., Any], endpoint: Endpoint, store_path: Path
) -> None:
    def reply(request: Any, body: Any, number: int) -> Any:
        text, finish, _ = REPLIES[number % len(REPLIES)]
        return say(text, finish)

    endpoint.act = reply
    reader = {"kind": "choice", "labels": ["yes", "no"]}
    metaspo.optimize(
        tasks=[make_task("t", 40, reader=reader)], base=endpoint.spec(concurrency=1), optimizer="scripted:dice", method="fixed",
        store=store_path, train_size=15, validation_size=0, test_size=15, preset="quick",
    )  # fmt: skip
    with closing(sqlite3.connect(store_path)) as db:
        rows = db.execute("SELECT c.reply, c.finish, o.answer FROM outcomes o JOIN calls c ON c.key = o.call").fetchall()
    assert set(rows) == set(REPLIES)
    assert metaspo.verify(store=store_path).well
