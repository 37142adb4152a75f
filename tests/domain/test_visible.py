"""What a terminal would act on, or not show, is shown as its code."""

import pytest

from metaspo.domain.visible import half_character, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b]0;title\x07", r"\x1b[31mred\x1b]0;title\x07"),
        ("\x9b2J\x9d8;;http://x\x9c", r"\x9b2J\x9d8;;http://x\x9c"),
        ("safe\rgone\b\b\x7f\0", r"safe\x0dgone\x08\x08\x7f\x00"),
        ("a\u202eb\u2066c\u200bd\u200de\ufefff", r"a\u202eb\u2066c\u200bd\u200de\ufefff"),
        ("a\u2028b\U000e0041c\u3164d\U000e0101", r"a\u2028b\U000e0041c\u3164d\U000e0101"),
        ("half \ud800", r"half \ud800"),
        ("lines\r\nand\ttabs, ümlaut, 中文, é, 😀️", "lines\nand\ttabs, ümlaut, 中文, é, 😀️"),
    ],
)
def test_nothing_unsafe_is_left(text: str, shown: str) -> None:
    assert visible(text) == shown and visible(shown) == shown


def test_half_a_character_is_found() -> None:
    assert half_character("ab\udc80") == 2 and half_character("ab😀") is None
