"""Locked parts against an optimizer that drops, reorders, rephrases, repeats and truncates them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import metaspo
from metaspo import Task
from metaspo.domain.errors import ConfigError
from metaspo.domain.locks import Locks
from metaspo.methods.proposal import Rules, _constraint, proposed
from metaspo.store.prompts import candidates, prompt_texts

from ..helpers.scripts import LOCKED

SEED = f"You help. <locked>{LOCKED[0]}</locked> Be brief. <locked>{LOCKED[1]}</locked>"


@pytest.fixture
def settings(make_task: Callable[..., Task], store_path: Path) -> dict[str, Any]:
    return {
        "tasks": [make_task("a")], "base": "scripted:tests.helpers.scripts:uneven", "optimizer": "scripted:tests.helpers.scripts:careless",
        "preset": "quick", "test_size": 4, "store": store_path, "system_prompt": SEED, "method": "outer_only",
    }  # fmt: skip


def test_every_candidate_keeps_what_is_locked(settings: dict[str, Any], open_store: Any) -> None:
    result = metaspo.optimize(**settings, iterations=3, system_candidates=9, proposal_attempts=2, system_length=200)
    db = open_store().db
    found = [row for row in candidates(db, result.run) if row.level == "system" and row.status != "seed"]
    texts = prompt_texts(db, [row.prompt for row in found if row.prompt])
    assert len(texts) > 15
    for text in [*texts.values(), result.system_prompt]:
        assert [text.count(part) for part in LOCKED] == [1, 1]
        assert text.index(LOCKED[0]) < text.index(LOCKED[1])
        assert len(text) <= 200 and "[[" not in text and "<locked>" not in text
    dropped = [row for row in found if row.prompt is None]
    assert dropped and all(row.reason for row in dropped)
    assert {(row.reason or "").split(" locked")[0].split(" [[")[0] for row in dropped} >= {
        "does not hold",
        "does not keep the",
    }
    # The system prompt that a model gets never holds a mark; the optimizer gets the places and what they stand for.
    rows = db.execute("SELECT role, request FROM calls WHERE run = ?", [result.run]).fetchall()
    sent = [(role, json.loads(request)["messages"]) for role, request in rows]
    assert not any("locked" in message["content"] for role, messages in sent if role == "base" for message in messages)
    asked = [
        messages[0]["content"]
        for role, messages in sent
        if role == "optimizer" and "between <prompt>" in messages[0]["content"]
    ]
    room = f"at most {200 - sum(map(len, LOCKED))} characters"
    assert asked and all("[[locked 1]]" in text and LOCKED[0] in text and room in text for text in asked)
    assert result.report.system_before == f"You help. {LOCKED[0]} Be brief. {LOCKED[1]}"


def test_a_candidate_that_is_too_long_is_dropped(settings: dict[str, Any], open_store: Any) -> None:
    short = " ".join(f"<locked>{part}</locked>" for part in LOCKED)
    sizes = {"system_length": 50, "system_candidates": 9, "proposal_attempts": 1}
    result = metaspo.optimize(**{**settings, "system_prompt": short}, **sizes, iterations=1)
    found = [row for row in candidates(open_store().db, result.run) if row.level == "system" and row.status != "seed"]
    assert any("characters long, more than 50" in (row.reason or "") for row in found)
    assert {row.status for row in found} == {"dropped"} and result.system_prompt == " ".join(LOCKED)


def test_a_branch_keeps_the_locks_of_its_parent(settings: dict[str, Any], store_path: Path) -> None:
    parent = metaspo.optimize(**settings, iterations=1)
    with pytest.raises(ConfigError, match=r"the edited text does not keep the locked parts"):
        metaspo.branch(parent.run, at=1, store=store_path, system_prompt=f"Be calm. {LOCKED[0]}")
    with pytest.raises(ConfigError, match="locks other parts"):
        metaspo.branch(parent.run, at=1, store=store_path, system_prompt=f"<locked>Be calm.</locked> {' '.join(LOCKED)}")
    child = metaspo.branch(parent.run, at=1, store=store_path, system_prompt=f"Be calm. {' '.join(LOCKED)}", iterations=2)
    assert all(part in child.system_prompt for part in LOCKED)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"system_prompt": "Go. <locked>x"}, "system_prompt has stray marks"),
        ({"system_length": 10}, "characters long, more than 10"),
    ],
)
def test_a_seed_that_cannot_be_kept_is_refused_before_any_call(
    changes: dict[str, Any], says: str, settings: dict[str, Any]
) -> None:
    with pytest.raises(ConfigError, match=says):
        metaspo.optimize(**{**settings, **changes})


def test_a_grammar_spells_the_places_out() -> None:
    constraint = _constraint(240, Rules("system", locks=Locks(("A.", "B.")), room=296))
    assert constraint is not None
    free = r"[^<>{}\[\]]"
    assert constraint.grammar == (
        f'root ::= "<prompt>" [A-Z] {free}{{20,80}} " [[locked 1]]" {free}{{0,80}} " [[locked 2]]" {free}{{0,80}} "</prompt>"'
    )


def test_a_prompt_that_was_only_thought_of_is_no_proposal() -> None:
    assert proposed("<think><prompt>Be a draft.</prompt></think><prompt>Be kind.</prompt>") == "Be kind."
    assert proposed("<think><prompt>Be a draft.</prompt></think>No.") is None
    assert proposed("<think><prompt>Be a draft.</prompt>") is None
