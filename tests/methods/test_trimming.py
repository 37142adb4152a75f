"""Shortening: what is left out, what stays, and that a sentence which does harm is found among many."""

from collections.abc import Callable
from pathlib import Path

import pytest

import metaspo
from metaspo import Task
from metaspo.domain.calls import Request
from metaspo.methods.builtin import SENTENCES_TRIED
from metaspo.methods.trimming import pieces, trimmed
from metaspo.reports.report import Report
from metaspo.store import prompts

SEED = "You are a helpful assistant."
HELP, HARM = "Look at the last digit.", "Decide in a hurry."
IDLE = [f"Mind the {thing} of it." for thing in ("beginning", "middle", "colour", "weight", "sound")]
WRITTEN = "\n".join([SEED, HELP, *IDLE[:3], HARM, *IDLE[3:]])


def hurried(request: Request) -> str:
    """Tells odd numbers from even ones where it is told how, but for every fourth in a hurry; writes one prompt ever."""
    asked = request.messages[-1][1]
    if "between <prompt> and </prompt>" in asked:
        return f"<prompt>{WRITTEN}</prompt>"
    if "BEGIN DATA" in asked:
        return "It does not look at the last digit."
    [number] = [int(word) for word in asked.replace("?", " ").split() if word.isdigit()]
    told = "\n".join(text for role, text in request.messages if role == "system")
    right = HELP in told and not (HARM in told and number % 4 == 0)
    return "yes" if (number % 2 == 1) == right else "no"


def test_the_pieces_are_the_prompt_and_each_is_left_out_once() -> None:
    assert "".join(pieces(WRITTEN)) == WRITTEN
    shorter = trimmed(WRITTEN, [SEED])
    assert len(shorter) == len(set(shorter)) == len(IDLE) + 2
    assert all(SEED in text for text in shorter)
    assert [text for text in shorter if HARM not in text] == [WRITTEN.replace(f"{HARM}\n", "")]


@pytest.mark.long
@pytest.mark.parametrize("seed", range(5))
def test_a_sentence_that_does_harm_is_found_among_many(
    seed: int, make_task: Callable[..., Task], store_path: Path, open_store: Callable[..., metaspo.store.database.Store]
) -> None:
    model = f"scripted:{__name__}:hurried"
    done = metaspo.optimize(
        tasks=[make_task("a", 120), make_task("b", 120)], base=model, optimizer=model, store=store_path, seed=seed,
        method="common_first", preset="paper", system_prompt=SEED, user_steps=0, iterations=1, test_size=10,
    )  # fmt: skip
    assert done.system_prompt == WRITTEN.replace(f"{HARM}\n", "")
    assert done.report.run.reason == "no selecting example fails any more"
    tried = [row for row in prompts.candidates(open_store().db, done.run) if row.round == shortened(done.report)]
    assert len(tried) == SENTENCES_TRIED
    fallen = [row for row in tried if row.status == "rejected"]
    assert len(fallen) == len(IDLE) + 1 and {row.stage for row in fallen} == {"gate"}, "what mends nothing is asked no more"


def shortened(report: Report) -> int:
    """The round that shortened: the last one of the search."""
    return max(row.round for row in report.rounds if row.level == "system")
