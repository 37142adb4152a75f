"""An exception is told with what led to it, and with nothing that merely happened around it."""

import asyncio

import pytest

from metaspo.domain.chains import chain


def caught(run: object) -> BaseException:
    assert callable(run)
    try:
        run()
    except BaseException as error:
        return error
    raise AssertionError


def low() -> None:
    raise ConnectionError("refused")


def by_cause() -> None:
    try:
        low()
    except ConnectionError as error:
        raise LookupError("no entry") from error


def by_context() -> None:
    try:
        low()
    except ConnectionError:
        raise LookupError("no entry")  # noqa: B904


def alone() -> None:
    try:
        low()
    except ConnectionError:
        raise LookupError("no entry") from None


def grouped() -> None:
    raise ExceptionGroup("two at once", [ValueError("first"), ValueError("second")])


def around() -> None:
    """What a library was handling when it ran our code is no reason of ours."""
    try:
        asyncio.get_running_loop()
    except RuntimeError as error:
        error.__traceback__ = None
        raise LookupError("no entry")  # noqa: B904


def deep() -> None:
    error: Exception = ValueError("0")
    for number in range(1, 9):
        outer = ValueError(str(number))
        outer.__cause__, error = error, outer
    raise error


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (by_cause, "LookupError: no entry, because ConnectionError: refused"),
        (by_context, "LookupError: no entry, because ConnectionError: refused"),
        (alone, "LookupError: no entry"),
        (around, "LookupError: no entry"),
        (grouped, "ExceptionGroup: two at once (2 sub-exceptions), because ValueError: first"),
        (deep, ", because ".join(f"ValueError: {number}" for number in (8, 7, 6, 5, 0))),
        (lambda: (_ for _ in ()).throw(KeyError()), "KeyError"),
        (lambda: (_ for _ in ()).throw(ValueError("two\nlines \0 and key=sk-abcdef1234567890abcd")), "ValueError: two lines"),
    ],
)
def test_a_chain(run: object, said: str) -> None:
    told = chain(caught(run))
    assert told == said or (told.startswith(said) and "\n" not in told and "abcdef" not in told and "\0" not in told)


def test_one_that_leads_to_itself_ends() -> None:
    one, other = ValueError("a"), ValueError("b")
    one.__cause__, other.__cause__ = other, one
    assert chain(one) == "ValueError: a, because ValueError: b"
