"""Whatever stands in a run's texts is text on its page: no element, no request, no word in the console is of their making."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from metaspo.domain.messages import Fields
from metaspo.domain.steps import kept
from metaspo.reports.pages.examples import run_examples
from metaspo.reports.pages.page import page
from metaspo.reports.pages.run_page import open_run_page
from metaspo.reports.pairs import run_pairs
from metaspo.store import images
from metaspo.store.database import Store, open_store

from ...helpers.browser import Looked, looking_at, needs_browser
from ...helpers.paper_sized import Size, write_search
from ...helpers.pictures import png

pytestmark = pytest.mark.long

EVIL = [
    "<script>window.sprung=1</script>", '"><img src=x onerror=window.sprung=1>', "</details></section></main></body></html>",
    "</script><script>window.sprung=1</script>", "{{ 7*7 }}{% raw %}{% endraw %}{# #}${7*7}", "javascript:window.sprung=1",
    "\x00\x01\x1b[2J\x7f\x9b31m", "\u202eevil\u2066\u200f", "<!-- --!><![CDATA[", "' style='position:fixed' onclick='window.sprung=1",
    "</style><style>*{display:none}</style>", "</pre></dd></dl></textarea></title></svg><svg onload=window.sprung=1>",
    "<a href='javascript:window.sprung=1' id=examples name=examples class=ex-filter>", "&lt;b&gt;&amp;#0;&bogus",
    "<iframe srcdoc='<script>parent.sprung=1</script>'>", "<base href=//e.test><link rel=stylesheet href=//e.test>",
    "<meta http-equiv=refresh content='0;url=//e.test'>", "url(//e.test/x)}*{background:url(//e.test)}", "\ufeff\ufffe\U000e0041\u3164",
    "</option></select></fieldset><form action=//e.test><input name=words>", "=SUM(1)`\\u003cb>", "Zeichen\r\randers\r\n",
]  # fmt: skip
SIZE = Size(sources=3, targets=1, examples=22, iterations=1, users=3, systems=4, kept=1)


def evil(kind: str, number: int) -> str:
    """Names of tasks are alike but for case; everything else is evil in turn."""
    if kind == "task" and number < 2:
        return ["<B>Task", "<b>task"][number]
    return f"{EVIL[number % len(EVIL)]} {kind} {number}"


def harmless(kind: str, number: int) -> str:
    return f"{kind} {number} is fine"


def write(path: Path, say: Any) -> Path:
    """A run whose first task asks with images and turns, and whose replies have thoughts, steps and errors."""
    store = Store(path.with_suffix(".db"))
    write_search(store, say, SIZE)
    db, text = store.db, say("more", 0)
    images.save(db, [(name, kind, png()) for name, kind in (("a" * 64, "image/png"), ("b" * 64, f"image/png{text}"))])
    shown = [
        {"type": "image_url", "image_url": {"url": url}}
        for url in (f"sha256:{'a' * 64}", f"sha256:{'b' * 64}", f"http://e/{text}")
    ]
    turns = [
        {"role": text, "content": text},
        {"role": "user", **Fields.of({"content": [{"type": "text", "text": text}, *shown]}).value},
    ]
    db.execute("UPDATE examples SET messages = ? WHERE task = 'id 0'", [json.dumps(turns)])
    steps = kept([{"role": text, "content": text, "tool_calls": [{"name": text, "arguments": {text: text}}]}])
    db.execute("UPDATE calls SET steps = ?, reply = '<think>' || reply || '</think>' || reply WHERE rowid % 3 = 0", [steps])
    db.execute("UPDATE calls SET finish = 'refused' WHERE rowid % 7 = 0")
    db.execute("UPDATE calls SET finish = ? WHERE rowid % 7 = 1", [text])
    html = open_run_page(store.path)
    store.close()
    path.write_text(html, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    write(folder / "evil.html", evil)
    write(folder / "harmless.html", harmless)
    return folder


@pytest.fixture(scope="module")
def looked(folder: Path) -> Iterator[Looked]:
    with looking_at(folder / "evil.html", width=380) as found:
        yield found


FORMS = """() => [...document.querySelectorAll("*")].map((one) => [one.localName, one.parentElement?.localName ?? "",
    ...one.getAttributeNames().sort()].join(" "))"""
"""Every element as its name, that of what it is in, and the names of its attributes."""


@needs_browser
def test_no_element_is_of_a_texts_making(looked: Looked, folder: Path) -> None:
    browser = looked.page.context.browser
    assert browser is not None
    other = browser.new_page()
    other.goto((folder / "harmless.html").as_uri())
    forms = looked.page.evaluate(FORMS)
    assert set(forms) - {"ins pre", "del pre"} <= set(other.evaluate(FORMS))
    for name in ("script", "style", "iframe", "base", "link", "form", "fieldset", "section", "details", "select", "img"):
        assert looked.page.locator(name).count() == other.locator(name).count(), name
    other.close()
    assert looked.page.evaluate("window.sprung") is None
    links = looked.page.eval_on_selector_all("[href]", "all => all.map(one => one.getAttribute('href'))")
    assert links and all(link.startswith("#") for link in links)
    assert len(looked.page.evaluate("[...document.querySelectorAll('[id]')].map(one => one.id)")) == len(
        set(looked.page.evaluate("[...document.querySelectorAll('[id]')].map(one => one.id)"))
    )


@needs_browser
def test_it_stands_there_as_text(looked: Looked) -> None:
    said = looked.page.locator("section[aria-labelledby=examples]").text_content() or ""
    for text in EVIL:
        if text.isprintable() and "\u3164" not in text:
            assert text in said
    assert r"\x00\x01\x1b[2J\x7f\x9b31m" in said and r"\u202eevil\u2066\u200f" in said and "\u202e" not in said
    assert "Zeichen\\x0d\\x0danders\n" in said and not set(said) & {*map(chr, range(9)), "\x0b", "\x1b", "\x7f", "\ufeff"}
    assert not looked.page.evaluate("document.body.innerHTML").count("\x00")


@needs_browser
def test_the_filter_works_on_it(looked: Looked) -> None:
    page = looked.page
    names = page.eval_on_selector_all("select[name=task] option", "all => all.map(one => [one.value, one.textContent])")
    assert [value for value, _ in names] == ["", "0", "1", "2", "3"] and names[1][1] == "<B>Task" != names[2][1] == "<b>task"
    for at in range(4):
        page.locator("select[name=task]").select_option(str(at))
        tasks = page.eval_on_selector_all(".ex:not([hidden])", "rows => rows.map(row => row.dataset.task)")
        assert tasks == [str(at)] * 22
    page.locator("button[value=all]").click()
    page.locator("input[name=words]").fill("</style><style>")
    assert 0 < page.locator(".ex:not([hidden])").count() < 88
    page.locator("button[value=unfold]").click()
    assert page.locator(".ex[open]:visible").count() == page.locator(".ex:not([hidden])").count()
    page.locator("button[value=all]").click()
    page.locator("button[value=unfold]").click()
    assert looked.sideways() == 0 and looked.page.evaluate("window.sprung") is None


@needs_browser
def test_only_pixels_of_the_store_are_pictures(looked: Looked) -> None:
    sources = looked.page.eval_on_selector_all("img", "all => all.map(one => one.src)")
    assert len(sources) == 22 and all(source.startswith("data:image/png;base64,") for source in sources)


def test_the_room_of_an_example_is_reckoned_closely(folder: Path) -> None:
    for name in ("evil", "harmless"):
        with open_store(folder / f"{name}.db") as store:
            reckoned = run_examples(run_pairs(store.db, "a-run"), "a-run")
        rooms = [one.room for task in reckoned.tasks for one in [*task.changed, *task.others]]
        rows = re.findall(
            r'<details class="ex folded" .*?\n</div>\n</details>\n', (folder / f"{name}.html").read_text("utf-8"), re.DOTALL
        )
        sizes = [len(row.encode()) for row in rows]
        assert len(sizes) == len(rooms) == 88
        assert all(0.7 * room < size <= room for room, size in zip(rooms, sizes, strict=True))


def test_half_a_character_is_shown_as_its_code() -> None:
    html = page("base.html", "half \ud800 </title> of one")
    assert html.encode() and r"<title>half \ud800 &lt;/title&gt; of one</title>" in html
