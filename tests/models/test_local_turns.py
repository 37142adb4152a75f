"""What a local model is spared: the rest of a reply that is decided, and beginnings that one of its servers knows."""

import asyncio
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from metaspo import ModelSpec
from metaspo.domain.calls import Constraint, Reply, Request
from metaspo.models.limiter import Limiter
from metaspo.models.local import LocalModel, _shared, enough

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
    """What a server with one cache is to a model: it counts the characters that are new, and takes so many turns of the loop."""

    def __init__(self, turns: int) -> None:
        self.new = self.asked = 0
        self._last, self._turns = "", turns

    async def complete(self, request: Request) -> Reply:
        text = "".join(str(content) for _, content in request.messages)
        self.new += len(text) - _shared(text, self._last)
        self._last = text
        self.asked += 1
        for _ in range(self._turns):
            await asyncio.sleep(0)
        return Reply("yes")


def counted(*turns: int) -> tuple[LocalModel, list[Counting]]:
    address = SimpleNamespace(listening_address="http://127.0.0.1:9")
    model = LocalModel(ModelSpec.parse("local:m.gguf"), [address for _ in turns], "sha")
    servers = [Counting(one) for one in turns]
    for inner, server in zip(model._servers, servers, strict=True):
        inner.client = server  # type: ignore[assignment]
    return model, servers


async def new_characters(*turns: int, choose: bool = True) -> int:
    """How much servers read of 96 requests with four system prompts to three tasks."""
    model, servers = counted(*turns)
    limiter = Limiter(len(turns), choose=model.best if choose else None)

    async def ask(system: str, user: str) -> None:
        request = Request((("system", system), ("user", user)), 16, 0.0)
        async with limiter.turn(request):
            await model.complete(request)

    systems, tasks = [f"{at} " + "s" * 1000 for at in range(4)], [f"{at} " + "t" * 300 for at in range(3)]
    await asyncio.gather(*(ask(system, f"{task}{at}") for system in systems for task in tasks for at in range(8)))
    assert sum(server.asked for server in servers) == 96 and all(server.asked for server in servers)
    return sum(server.new for server in servers)


@pytest.mark.parametrize("turns", [(1, 1), (5, 5), (2, 7), (3, 3, 3), (2, 5, 9), (4, 4, 4, 4)], ids=str)
async def test_each_server_reads_other_beginnings(turns: tuple[int, ...]) -> None:
    once = await new_characters(1)
    assert once == 4 * (1002 + 3 * 302) + 96
    # When little is left, one server helps another with what that has begun.
    assert once <= await new_characters(*turns) < 0.75 * await new_characters(*turns, choose=False)


async def test_a_server_that_was_promised_to_who_never_came_is_free() -> None:
    model, servers = counted(3, 3)
    limiter = Limiter(2, choose=model.best)

    async def ask(at: int) -> None:
        request = Request((("user", f"{at % 5} {'t' * 99} {at}"),), 16, 0.0)
        async with limiter.turn(request):
            if at % 3:
                await model.complete(request)

    await asyncio.wait_for(asyncio.gather(*(ask(at) for at in range(90))), 60)
    assert sum(server.asked for server in servers) == 60 and min(server.asked for server in servers) > 20
    assert not any(one.open for one in model._servers)
