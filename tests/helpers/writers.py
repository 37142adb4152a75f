"""Scripted optimizers that write what a test tells them to: `scripted:tests.helpers.writers:NAME`."""

import json
import re

from metaspo.domain.calls import Request

REPLIES: dict[str, list[str]] = {}
"""What `in_turn` writes, by level: one text an attempt, the last one from then on."""


def in_turn(request: Request) -> str:
    """As optimizer it writes what `REPLIES` has for the attempt; as base it says no."""
    text = request.messages[-1][1]
    if "between <prompt> and </prompt>" in text:
        replies = REPLIES["user" if "{question} exactly once" in text else "system"]
        return f"<prompt>{replies[min(_attempt(request), len(replies) - 1)]}</prompt>"
    return "an analysis" if "BEGIN DATA" in text else "no"


def copies(request: Request) -> str:
    """As optimizer it copies an example that it was shown with its answer, and only at the third attempt writes a prompt."""
    text = request.messages[-1][1]
    if "between <prompt> and </prompt>" not in text:
        return "an analysis" if "BEGIN DATA" in text else "no"
    [first, *_] = [json.loads(line) for line in text.splitlines() if line.startswith('{"question"')]
    question = re.sub(r"\s+", " ", first["question"])
    end = "\n{question}" if "{question} exactly once" in text else ""
    said = [f"For one, {question.upper()} -- {first['expected']}!", f"Mind that '{question}' is {first['expected']}.", "Think."]
    return f"<prompt>{said[min(_attempt(request), 2)]}{end}</prompt>"


def numbered(request: Request) -> str:
    """As optimizer it writes a prompt that no other place has; as base it says no."""
    text = request.messages[-1][1]
    if "between <prompt> and </prompt>" in text:
        end = "\n{question}" if "{question} exactly once" in text else ""
        return f"<prompt>Think of {request.sample.replace(',', ' and')}.{end}</prompt>"
    return "an analysis" if "BEGIN DATA" in text else "no"


def grader(request: Request) -> str:
    """A judge that says why it is not satisfied."""
    return "It leaves out the reason. <grade>2</grade>"


def _attempt(request: Request) -> int:
    return int(request.sample.rsplit(" ", 1)[-1])


def helped(request: Request) -> str:
    """As base it answers more questions right where solved examples are given, but not all; as optimizer it is `numbered`."""
    text = request.messages[-1][1]
    if "BEGIN DATA" in text:
        return numbered(request)
    number = int(re.findall(r"\d+", text)[-1])
    known = number % 3 and "Solved examples:" in text
    return ("yes" if number % 2 else "no") if known else "no"
