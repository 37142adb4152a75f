"""Prompts in the registries' own forms come back as they were, whatever they hold."""

import random

import pytest
from mlflow.entities.model_registry import PromptVersion

from metaspo.domain.prompts import fill
from metaspo.reports.kept.templates import chat_template, mlflow_template
from metaspo.reports.kept.version import Version

from .conftest import HOSTILE, USER

TOKENS = [
    "{",
    "}",
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "name",
    " ",
    "\r",
    "\n",
    "raw",
    "endraw",
    "-",
    "question",
    "票",
    "\\",
    "'",
    '"',
]
QUESTION = 'Is {{ question }} {question} {% x %}\\1 "票"\r\n?'


def texts() -> list[tuple[str, str]]:
    draw = random.Random(0)
    made = ["".join(draw.choices(TOKENS, k=draw.randint(1, 14))) for _ in range(800)]
    return [("system", HOSTILE), ("user", USER)] + [
        ("system", text) if at % 2 else ("user", text.replace("{question}", "") + "{question}" + text.replace("{question}", "")[::-1].replace("{question}", ""))
        for at, text in enumerate(made)
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["system", "user"])
def test_what_comes_back_is_what_was_kept(kind: str) -> None:
    for text in (text for one, text in texts() if one == kind and (one == "system" or text.count("{question}") == 1)):
        version = Version(kind, "t" if kind == "user" else "", text, {"run": "r", "verdict": "confirmed"}, {}, "")  # type: ignore[arg-type]
        wanted = fill(text, QUESTION) if kind == "user" else text
        stored = PromptVersion("n", 1, mlflow_template(version))
        assert stored.format(question=QUESTION) == wanted, text
        assert kind == "user" or stored.format() == wanted
        [message] = chat_template(version).format_messages(question=QUESTION)
        assert (message.content, message.type) == (wanted, "human" if kind == "user" else "system"), text


def test_a_plain_prompt_is_as_plain_there() -> None:
    about = {"run": "r", "verdict": "confirmed"}
    assert mlflow_template(Version("system", "", 'Say {"a": 1}, 50%.', about, {}, "")) == 'Say {"a": 1}, 50%.'
    assert mlflow_template(Version("user", "t", "Q: {question}\n", about, {}, "")) == "Q: {{question}}\n"
