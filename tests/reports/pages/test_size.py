"""A page stays small and quick whatever the run, and says what it leaves out."""

import re
import time
from pathlib import Path

import pytest

from metaspo.reports.pages.room import cut, room_of
from metaspo.reports.pages.run_page import LARGEST, open_run_page
from metaspo.store.database import Store

from ...helpers.browser import looking_at, needs_browser
from ...helpers.paper_sized import Say, Size, write_search

LIMIT = 2_000_000
LONG = ("question", "reply", "prompt")
TEXTS = {
    "escaped": "<&\"'>" * 1000,
    "emoji": "\N{PILE OF POO}" * 5000,
    "shown as codes": "\N{VARIATION SELECTOR-17}" * 5000,
    "controls": "\x00\x1b\x07\u202e" * 1300,
    "lines": "\n" * 5000,
}
SMALL = Size(sources=2, targets=1, examples=100, iterations=1, users=1, systems=1, kept=1)


def say(text: str, *long: str) -> Say:
    return lambda kind, number: f"{kind} {number} {text if kind in long else text[:60]}"


def written(path: Path, say: Say, size: Size) -> str:
    store = Store(path)
    write_search(store, say, size)
    store.close()
    return open_run_page(path)


@pytest.mark.long
@pytest.mark.parametrize("name", TEXTS)
def test_it_is_small_whatever_the_texts(name: str, tmp_path: Path) -> None:
    page = written(tmp_path / "m.db", say(TEXTS[name], *LONG), SMALL)
    assert LIMIT / 4 < len(page.encode()) < LIMIT
    shown, changed = said_of(page)
    assert changed == page.count('data-change="gained"') + page.count('data-change="lost"') > 0
    assert shown == page.count('<details class="ex folded"') < 300
    assert "metaspo show a-run --errors --limit 0" in page


def test_single_words_of_a_megabyte(tmp_path: Path) -> None:
    page = written(
        tmp_path / "m.db", say("w" * 1_000_000, "question", "reply", "explanation", "answer"), Size(1, 1, 5, 1, 1, 1, 1)
    )
    assert len(page.encode()) < LIMIT / 2 and page.count('<details class="ex folded"') == 10 and " characters ...]" in page


def said_of(page: str) -> tuple[int, int]:
    """How many examples a page says that it shows, and how many of those that changed."""
    found = re.search(r"This page has ([\d,]+) of the [\d,]+,\s+(?:all|([\d,]+) of the) ([\d,]+) that changed", page)
    assert found is not None
    return int(found[1].replace(",", "")), int((found[2] or found[3]).replace(",", ""))


@pytest.mark.long
@needs_browser
def test_a_run_of_the_papers_size_with_long_texts(tmp_path: Path) -> None:
    text = "The parcel <came> on time & the colour is just right, but one corner was dented. " * 62
    store = tmp_path / "m.db"
    opened = Store(store)
    write_search(opened, say(text, *LONG), Size())
    assert opened.db.execute("SELECT count(*) FROM calls").fetchone()[0] > 20_000
    opened.close()
    started = time.process_time()
    page = open_run_page(store)
    assert time.process_time() - started < 10
    assert len(page.encode()) < LIMIT
    shown, changed = said_of(page)
    assert changed == page.count('data-change="gained"') + page.count('data-change="lost"') >= 150
    file = tmp_path / "page.html"
    file.write_text(page, encoding="utf-8")
    with looking_at(file) as looked:
        looked.page.locator("select[name=change]").select_option("lost")
        told = looked.page.locator("output[aria-live=polite]").inner_text()
        assert told == f"{page.count('data-change=' + chr(34) + 'lost')} of {shown} examples of this page shown"
        assert looked.page.locator(".ex:visible").count() == int(told.split()[0])


def test_short_examples_are_all_there(tmp_path: Path) -> None:
    page = written(tmp_path / "m.db", say("in short"), SMALL)
    assert page.count('<details class="ex folded"') == 300 and "This page has" not in page


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_text_is_cut_to_its_room_and_keeps_both_ends(text: str) -> None:
    whole = f"begin {text} end"
    shown = cut(whole, 700)
    assert room_of(shown) < 800 and shown.startswith("begin ") and shown.endswith(" end")
    assert cut(whole, 10 * len(whole)) == whole


def test_there_is_room_left() -> None:
    assert LARGEST < LIMIT
