"""Answers that come when nothing waits for one: LangGraph would take them without a word."""

from typing import Any

from langgraph.types import Command, StateSnapshot

from ..domain.errors import ConfigError
from .answers import addressee


def is_answer(given: Any) -> bool:
    """Whether a graph is given an answer, rather than input or nothing."""
    return isinstance(given, Command) and given.resume not in (None, {})


def refuse_late(given: Command[Any], state: StateSnapshot) -> None:
    """Raise ConfigError for an answer to a thread that waits for none. Without an id it may be meant to pass a breakpoint."""
    if state.interrupts or (state.next and addressee(given.resume) is None):
        return
    run = state.values.get("run")
    if run is None:
        raise ConfigError("this thread waits for no answer: no run has begun there")
    stands = f"it is in the middle of round {state.values.get('round', 0)}" if state.next else "it is done"
    raise ConfigError(f"run {run} waits for no answer: {stands}. Its report says what was answered, and by whom")
