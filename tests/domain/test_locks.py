import pytest

from metaspo.domain.errors import PromptError
from metaspo.domain.locks import Locks, without_marks

MARKED = "You are Ada. <locked>Be kind.</locked> Read twice.\n<locked>\nNever lie.\nNever guess.\n</locked>\nBe brief."
LOCKS = Locks.of(MARKED, 120)
PLAIN = without_marks(MARKED)


def test_the_marks_are_read_and_gone() -> None:
    assert LOCKS.parts == ("Be kind.", "Never lie.\nNever guess.") and "locked" not in PLAIN
    assert LOCKS.complaint(PLAIN) is None
    assert Locks.of("No marks here.") == Locks()


def test_hiding_and_showing_are_inverse() -> None:
    hidden = LOCKS.hidden(PLAIN)
    assert hidden == "You are Ada. [[locked 1]] Read twice.\n\n[[locked 2]]\n\nBe brief."
    assert LOCKS.shown(hidden) == PLAIN
    assert LOCKS.hidden("Be kind.") == "Be kind." and LOCKS.shown("[[locked 2]]") == "[[locked 2]]"


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("Other words.", "does not keep the locked parts word for word and in order: 'Be kind.' ... "),
        ("Be kind!", "does not keep"),
        ("[[locked 1]] Go.", "does not hold [[locked 1]], [[locked 2]] once each and in this order"),
        ("[[locked 2]] Go. [[locked 1]]", "once each and in this order"),
        ("[[locked 1]] [[locked 1]] [[locked 2]]", "once each and in this order"),
        ("[[locked 1]] Go. [[locked 2]] [[locked 3]]", "once each and in this order"),
        ("[[locked 1]] Be kind. [[locked 2]]", "holds a locked part twice: 'Be kind.'"),
        ("Always[[locked 1]] [[locked 2]]", "runs a locked part together with the next word"),
        ("Be kind. Never lie. Never guess.", "does not keep"),
        ("Never lie.\nNever guess. Be kind.", "does not keep"),
        ("<locked>Be kind.</locked> [[locked 2]]", "holds a <locked> mark"),
        ("  ", "is empty"),
        (f"[[locked 1]] [[locked 2]] {'more ' * 20}", "characters long, more than 120"),
    ],
)
def test_what_breaks_a_lock_is_named(written: str, says: str) -> None:
    assert says in (LOCKS.complaint(LOCKS.shown(written)) or "")


@pytest.mark.parametrize(
    "written", ["[[locked 1]] [[locked 2]]", "Hi. [[Locked 1]]\n[[ locked  2 ]]", PLAIN.replace("Ada", "Bo")]
)
def test_what_keeps_them_is_taken(written: str) -> None:
    shown = LOCKS.shown(written)
    assert LOCKS.complaint(shown) is None and all(shown.count(part) == 1 for part in LOCKS.parts)


def test_languages_without_spaces_may_write_on() -> None:
    assert Locks.of("你是助手。<locked>请用中文回答</locked>然后停下。").parts == ("请用中文回答",)


@pytest.mark.parametrize(
    ("marked", "says"),
    [
        ("a <locked>b", "between one <locked> and"),
        ("a b</locked>", "between one <locked> and"),
        ("<locked>a <locked>b</locked></locked>", "stray marks"),
        ("<locked>" * 50_000, "stray marks"),
        ("<locked>a</locked> " * 50_000, "locks 50,000 parts, more than 200"),
        ("a <LOCKED>b</LOCKED>", "between one <locked> and"),
        ("a <locked> </locked>", "an empty locked part"),
        ("Go. <locked>Go.</locked>", "holds a locked part twice"),
        ("<locked>rule</locked>s", "runs a locked part together"),
        ("[[locked 1]] <locked>a</locked>", "write something else"),
    ],
)
def test_a_seed_that_cannot_be_kept_is_refused(marked: str, says: str) -> None:
    with pytest.raises(PromptError, match=says.replace("[", r"\[")):
        Locks.of(marked)


def test_a_seed_longer_than_its_limit_is_refused() -> None:
    with pytest.raises(PromptError, match="20 characters long, more than 10"):
        Locks.of("x" * 20, 10)


def test_a_person_s_text_may_repeat_the_marks_but_not_move_them() -> None:
    assert LOCKS.edited(MARKED.replace("Ada", "Bo")) == PLAIN.replace("Ada", "Bo")
    with pytest.raises(PromptError, match="locks other parts"):
        LOCKS.edited(MARKED.replace("Read twice.", "<locked>Read twice.</locked>"))
    with pytest.raises(PromptError, match="the edited text does not keep"):
        LOCKS.edited("Be kind.")
