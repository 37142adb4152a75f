"""Prompts put together from whole sentences: they read as one text, and what a person wrote stays."""

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

import metaspo
from metaspo import Task
from metaspo.methods.checks import cut_off
from metaspo.methods.composition import apart, compositions, exchanges, library, together
from metaspo.methods.talk import talk
from metaspo.prompts.renderer import DEFAULT_SYSTEM_PROMPT
from metaspo.store import prompts
from metaspo.store.database import Store

OWN = "You work for {company}.\nNever promise a refund."


def test_the_library_is_whole_sentences_to_the_assistant_without_repeats() -> None:
    lines = [line for lines in library().values() for line in lines]
    assert len(lines) == len(set(lines)) >= 40
    for line in lines:
        assert line[0].isupper() and line.endswith(".") and line.count(".") == 1 and "{" not in line
        assert talk(line, []) is None


@pytest.mark.parametrize("own", [DEFAULT_SYSTEM_PROMPT, OWN, ""])
def test_a_prompt_comes_apart_as_it_was_put_together(own: str) -> None:
    for text in compositions(own or DEFAULT_SYSTEM_PROMPT, Random(1), 30):
        kept, places = apart(text)
        assert together(kept, places) == text and 1 <= len(places) <= 4
        assert kept in (own, "", DEFAULT_SYSTEM_PROMPT)
        assert list(places) == [place for place in library() if place in places]


def test_what_a_person_wrote_stays_in_front() -> None:
    for text in [
        *compositions(OWN, Random(2), 30),
        *exchanges(OWN, Random(2)),
        *exchanges(compositions(OWN, Random(3), 1)[0], Random(2)),
    ]:
        assert text.startswith(OWN) and not set(text.splitlines()) & set(library()["role"])


def test_an_exchange_is_one_sentence_away_and_none_comes_twice() -> None:
    [text] = compositions(DEFAULT_SYSTEM_PROMPT, Random(4), 1)
    _, before = apart(text)
    every = exchanges(text, Random(5))
    assert len(every) == len(set(every)) and text not in every and "" not in every
    for one in every:
        _, after = apart(one)
        assert sum(before.get(place) != after.get(place) for place in library()) == 1


def test_a_search_over_sentences_asks_no_optimizer_and_ends_in_a_readable_prompt(
    make_task: Callable[..., Task], store_path: Path
) -> None:
    result = metaspo.optimize(
        tasks=[make_task("a", 90), make_task("b", 90)], base="scripted:tests.helpers.scripts:uneven", preset="quick",
        store=store_path, optimizer="openai:never-asked",
    )  # fmt: skip
    assert result.report.run.method == "common_first" and "optimizer" not in result.report.usage.calls
    store = Store(store_path)
    rows = [row for row in prompts.candidates(store.db, result.run) if row.status != "seed"]
    texts = prompts.prompt_texts(store.db, [row.prompt or "" for row in rows if row.prompt])
    store.close()
    assert len({row.prompt for row in rows}) == len(rows) and not [row.reason for row in rows if row.reason]
    known = {line for lines in library().values() for line in lines} | {DEFAULT_SYSTEM_PROMPT}
    assert all(set(text.splitlines()) <= known and cut_off(text, "") is None for text in texts.values())
