"""A local model is asked for no more of a reply than what decides which of a closed set it is."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from metaspo import ModelSpec
from metaspo.domain.calls import Constraint, Request
from metaspo.models.local import LocalModel, enough

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
