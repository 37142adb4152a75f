"""Chat requests in, replies out: a world as the two models that a search talks to.

`scripted:worlds.chat:base` and `scripted:worlds.chat:optimizer` are what metaspo is given; they play
the sim that `play` put on. One sim a process at a time.
"""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from . import phrases, writer
from .sim import Question, Sim, mark

FENCE = re.compile(r"(?P<label>[^\n]*)\n-----BEGIN DATA (?P<id>\w+)-----\n(?P<data>.*?)\n-----END DATA (?P=id)-----", re.DOTALL)
ASKS_FOR_A_PROMPT = "between <prompt> and </prompt>"
TRIES = 3


@dataclass
class Seen:
    """What an optimizer request shows, told apart by form and not by wording."""

    system: list[str] = field(default_factory=list)
    user: list[str] = field(default_factory=list)
    failing: list[Question] = field(default_factory=list)
    labelled: list[Question] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)
    level: str = "system"


def seen(sim: Sim, request: str) -> Seen:
    """Take a request apart: fenced prompts, failing and labelled examples, earlier attempts."""
    found = Seen(level="user" if "the placeholder {question}" in request else "system")
    for fence in FENCE.finditer(request):
        label, rows = fence["label"].lower(), _rows(fence["data"])
        if rows and "result" in rows[0]:
            found.tried += [row["prompt"] for row in rows]
        elif rows and "prompt" in rows[0]:
            _put(found, [row["prompt"] for row in rows])
        elif rows:
            texts = [(row.get("question") or row.get("input") or "", "reply" in row) for row in rows]
            for text, answered in texts:
                if mark(text) in sim.by_mark:
                    (found.failing if answered else found.labelled).append(sim.by_mark[mark(text)])
        elif not label.startswith("what went"):
            _put(found, [fence["data"]])
    return found


def _put(found: Seen, prompts: Sequence[str]) -> None:
    for prompt in prompts:
        (found.user if phrases.QUESTION in prompt else found.system).append(prompt)


def _rows(data: str) -> list[dict[str, Any]]:
    """The JSON objects of a fence, or none where it holds plain text."""
    try:
        rows = [json.loads(line) for line in data.splitlines() if line.strip()]
    except ValueError:
        return []
    return rows if all(isinstance(row, dict) for row in rows) else []


def written(sim: Sim, request: str, sample: str) -> str:
    """The optimizer's reply: an analysis, or a prompt between its tags."""
    shown = seen(sim, request)
    random = Random(f"{sim.world.name}/{sim.seed}/{sample}/{request}")
    if ASKS_FOR_A_PROMPT not in request:
        topics = sorted({topic for question in shown.failing for topic in question.revealed})
        return f"It says too little about {', '.join(topics) or 'what is asked'}."
    for _ in range(TRIES):
        text = _prompt(sim, shown, "Mutation" in request, random)
        # Who is shown what has been tried does not write the same again.
        if text not in shown.tried:
            break
    return f"Here it is.\n<prompt>{text}</prompt>"


def _prompt(sim: Sim, shown: Seen, breeds: bool, random: Random) -> str:
    """A new prompt of the level that is asked for, from whatever is shown."""
    parents = shown.user if shown.level == "user" else shown.system
    if shown.failing:
        system = shown.system[0] if shown.system else ""
        if len(parents) > 1:
            parents = [writer.joined([line for one in parents for line in phrases.sentences(one)], shown.level)]
        pair: tuple[str, str | None] = (system, parents[0]) if shown.level == "user" else (parents[0], None)
        return sim.rewrite(shown.level, *pair, shown.failing, random)
    if shown.labelled:
        return writer.joined(writer.induced(sim.world, shown.labelled, shown.level, random), shown.level)
    if breeds or len(parents) > 1:
        guess = phrases.skill_phrase(random.choice(sorted(sim.topics)))
        lines = writer.bred(sim.world, [phrases.sentences(one) for one in parents], guess, random)
        return writer.joined(lines, shown.level)
    return writer.reworded(sim.world, parents[0], random)


def reply(sim: Sim, messages: Sequence[tuple[str, str]], sample: str = "") -> str:
    """What either model says to a chat of (role, text); `sample` tells apart draws of one request."""
    asked = messages[-1][1]
    if ASKS_FOR_A_PROMPT in asked or "-----BEGIN DATA" in asked:
        sim.calls["optimizer"] += 1
        return written(sim, asked, sample)
    question = sim.by_mark[mark(asked)]
    sim.calls[question.split] += 1
    system = "\n".join(text for role, text in messages if role == "system")
    return sim.answer(system, asked, question)


class Stage:
    """The sim that this process plays."""

    sim: Sim | None = None


def play(sim: Sim) -> Counter[str]:
    """Put a sim on; the counter of its calls by split, and of the optimizer's."""
    Stage.sim = sim
    sim.calls.clear()
    return sim.calls


def base(request: Any) -> str:
    """The base model, as a script of metaspo."""
    assert Stage.sim is not None, "call play first"
    return reply(Stage.sim, request.messages, request.sample)


optimizer = base
