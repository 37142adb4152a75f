"""What a local model is spared: the rest of a reply that is decided, and beginnings that one of its servers knows."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from metaspo import ModelSpec
from metaspo.domain.calls import Constraint, Request
from metaspo.models.account import Account
from metaspo.models.local import LocalModel, _shared, enough
from metaspo.models.registry import Registry

from ..helpers.endpoint import Body, Endpoint, say


def asked(*choices: str, max_tokens: int = 64, grammar: str = "") -> Request:
    grammar = grammar or "root ::= " + " | ".join(json.dumps(choice) for choice in choices)
    return Request((("user", "Which?"),), max_tokens, 0.0, "", Constraint(grammar, choices))


@pytest.mark.parametrize(
    ("choices", "tokens"),
    [
        (("positive", "negative"), 1),
        (("animals", "arts", "health"), 2),
        (("no", "no answer"), 3),
        (("A", "B", "C"), 1),
        (("only",), 1),
        (("only", "only"), 5),
        (("ja", "nein", "weiß nicht"), 64),
        (("好", "坏"), 64),
        ((), 64),
    ],
)
def test_how_many_tokens_are_enough(choices: tuple[str, ...], tokens: int) -> None:
    assert enough(asked(*choices)) == tokens


def test_what_max_tokens_cuts_off_is_cut_off_as_ever() -> None:
    assert enough(asked("positive", "negative", max_tokens=7)) == 7
    assert enough(Request((("user", "Which?"),), 9, 0.0)) == 9
    assert enough(Request((("user", "Which?"),), 9, 0.0, "", Constraint(schema="{}"))) == 9


class Answering:
    """An endpoint that says one text, by tokens of so many characters."""

    def __init__(self, text: str, size: int) -> None:
        self.text, self.size = text, size
        self.endpoint = Endpoint(self._act)

    @property
    def listening_address(self) -> str:
        return self.endpoint.url.removesuffix("/v1")

    @property
    def lengths(self) -> list[int]:
        return [body["max_tokens"] for body in self.endpoint.seen]

    def _act(self, request: Any, body: Body, number: int) -> Any:
        said = self.text[: self.size * body["max_tokens"]]
        # A server does not know that it has nothing left to say before the pass in which it says so.
        return say(said, "stop" if len(self.text) < self.size * body["max_tokens"] else "length")


@pytest.fixture
def answering() -> Iterator[Any]:
    opened: list[Answering] = []

    def answer(text: str, size: int) -> Answering:
        opened.append(Answering(text, size))
        return opened[-1]

    yield answer
    for one in opened:
        one.endpoint.close()


async def reply(server: Answering, request: Request, **settings: Any) -> tuple[str, str]:
    model = LocalModel(ModelSpec.model_validate({"provider": "local", "name": "m.gguf"} | settings), [server], "sha")
    said = await model.complete(request)
    await model.close()
    return said.text, said.finish


@pytest.mark.long
@pytest.mark.parametrize("size", [1, 3, 99])
@pytest.mark.parametrize("choices", [("positive", "negative"), ("animals", "arts", "health"), ("no", "no answer"), ("only",)])
async def test_the_reply_is_the_one_that_a_longer_wait_would_bring(choices: tuple[str, ...], size: int, answering: Any) -> None:
    for choice in choices:
        server = answering(choice, size)
        assert await reply(server, asked(*choices)) == (choice, "stop")
        assert server.lengths == [enough(asked(*choices))]


async def test_what_is_not_held_to_a_grammar_is_asked_for_in_full(answering: Any) -> None:
    for constrain in ("none", "json_schema"):
        server = answering("{}", 99)
        await reply(server, asked("positive", "negative"), constrain=constrain)
        assert server.lengths == [64]


async def test_what_decides_nothing_is_asked_for_again_in_full(answering: Any) -> None:
    server = answering("positive", 0)  # a server that keeps its first tokens to itself
    assert await reply(server, asked("positive", "negative")) == ("", "length")
    assert server.lengths == [1, 1, 64]


class Counting:
    """An endpoint that keeps what it was asked last, as a server's cache does, and counts the characters that are new."""

    def __init__(self) -> None:
        self.new, self._last = 0, ""
        self.endpoint = Endpoint(self._act)
        self.listening_address = self.endpoint.url.removesuffix("/v1")

    async def _act(self, request: Any, body: Body, number: int) -> Any:
        text = "".join(message["content"] for message in body["messages"])
        self.new += len(text) - _shared(text, self._last)
        self._last = text
        await asyncio.sleep(0.01)
        return say("yes")


async def new_characters(count: int, store: Path, choose: bool = True) -> int:
    """How much so many servers read of 96 requests with four system prompts to three tasks."""
    servers = [Counting() for _ in range(count)]
    registry = Registry()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("metaspo.models.local._serve", lambda spec: (servers, "sha"))
        if not choose:
            patch.setattr("metaspo.models.local.LocalModel.best", lambda self, waiting: 0)
        model = await registry.model(ModelSpec.parse(f"local:m.gguf,threads={count}"))
        _, ledger = await registry.ledger(store)
        account = Account("run")
        systems, tasks = [f"{at} " + "s" * 1000 for at in range(4)], [f"{at} " + "t" * 300 for at in range(3)]
        texts = [(system, f"{task}{question}") for system in systems for task in tasks for question in range(8)]
        asked = [Request((("system", system), ("user", user)), 16, 0.0) for system, user in texts]
        await asyncio.gather(*(ledger.call(model, request, "base", account) for request in asked))
        await registry.close()
    for server in servers:
        server.endpoint.close()
        assert server.endpoint.seen
    assert account.usage.total_calls == 96
    return sum(server.new for server in servers)


@pytest.mark.long
async def test_each_server_reads_other_beginnings(tmp_path: Path) -> None:
    alone = await new_characters(1, tmp_path / "1.db")
    assert alone < 4 * (1002 + 3 * 302) + 96 * 3
    for count in (2, 3):
        first_come = await new_characters(count, tmp_path / f"first{count}.db", choose=False)
        chosen = await new_characters(count, tmp_path / f"{count}.db")
        # When little is left, one server helps another with what that has begun.
        assert alone <= chosen < 0.85 * first_come
