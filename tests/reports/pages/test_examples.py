"""The examples on the page of a run, with both replies, in a real browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from metaspo import optimize
from metaspo.reports.pages.run_page import open_run_page

from ...helpers.browser import Looked, looking_at, needs_browser
from ...helpers.endpoint import Endpoint, fail, say

pytestmark = pytest.mark.long

THOUGHT = "<think>Numbers that end in eight are even.</think>yes"
KINDS = {0: "right right", 1: "wrong right", 2: "unparsed right", 3: "right wrong", 4: "right unparsed", 5: "wrong wrong",
         6: "unparsed unparsed", 7: "unparsed right", 8: "wrong right", 9: "unparsed unparsed"}  # fmt: skip
"""What becomes of a number by its last digit, with the seeds and with what was found."""

READ = """rows => rows.map(row =>
  [row.querySelector(".ex-title").textContent, `${row.dataset.before} ${row.dataset.after}`, row.textContent])"""


def answers(request: Any, body: Any, number: int) -> Any:
    """Answers as `KINDS` says; 7 gets no reply before, 9 a different unreadable one after."""
    system, asked = body["messages"][0]["content"], int(body["messages"][-1]["content"].split("Is ")[1].split()[0])
    after, digit = system.startswith("Think of"), asked % 10
    gold, other = ("yes", "no") if asked % 2 else ("no", "yes")
    if digit == 7 and not after:
        return fail(400, "no such question", "content_filter")
    kind = KINDS[digit].split()[after]
    said = {"right": gold, "wrong": other, "unparsed": f"Maybe, {'later' if after and digit == 9 else 'who knows'}."}[kind]
    return say(THOUGHT.replace("yes", said) if digit == 8 else said)


@pytest.fixture(scope="module")
def store(make_task: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("examples") / "m.db"
    endpoint = Endpoint(answers)
    optimize(
        tasks=[make_task("one", 120), make_task("two", 120)], base=endpoint.spec(), train_size=20, test_size=60,
        optimizer="scripted:tests.helpers.writers:numbered", method="outer_only", iterations=1, system_candidates=1,
        store=str(path),
    )  # fmt: skip
    endpoint.close()
    return path


@pytest.fixture(scope="module")
def written(store: Path) -> Path:
    page = store.with_name("page.html")
    page.write_text(open_run_page(store), encoding="utf-8")
    return page


@pytest.fixture(scope="module")
def looked(written: Path) -> Iterator[Looked]:
    with looking_at(written, width=380) as found:
        yield found


def shown(looked: Looked) -> list[str]:
    """What became of the examples that are there, before and after."""
    return looked.page.eval_on_selector_all(  # type: ignore[no-any-return]
        ".ex:not([hidden])", "rows => rows.map(row => `${row.dataset.before} ${row.dataset.after}`)"
    )


@needs_browser
def test_every_example_is_there_with_both_replies(looked: Looked) -> None:
    page = looked.page
    assert len(shown(looked)) == 120 and set(shown(looked)) == set(KINDS.values())
    said = page.locator("section[aria-labelledby=examples] p").first.inner_text()
    assert "Of 120 test examples" in said and " score higher" in said
    for title, kinds, text in page.eval_on_selector_all(".ex", READ):
        digit = int(title.split("Is ")[1].split()[0]) % 10
        assert kinds == KINDS[digit]
        assert ("no such question" in text) == (digit == 7) and ("Maybe, later." in text) == (digit == 9)
        assert text.count("end in eight") == 2 * (digit == 8)
        assert ("Before and after" in text) == (digit in (0, 5, 6))
    first = page.locator(".ex").first
    assert first.get_attribute("data-change") == "gained"
    assert (first.locator("summary").text_content() or "").startswith("+ gained ")
    assert looked.sideways() == 0


@needs_browser
def test_what_changed_comes_first_and_others_are_folded(looked: Looked) -> None:
    group = looked.page.locator(".ex-group").first
    changes = group.evaluate("group => [...group.querySelectorAll('.ex')].map(row => row.dataset.change)")
    assert changes == sorted(changes, key=["gained", "lost", "same"].index)
    inner = group.evaluate("group => [...group.querySelectorAll(':scope .ex-group .ex')].map(row => row.dataset.change)")
    assert set(inner) == {"same"} and len(inner) == changes.count("same")


@needs_browser
def test_the_filter_is_used_with_the_keyboard_and_says_what_it_shows(looked: Looked) -> None:
    page = looked.page
    told = page.locator("output[aria-live=polite]")
    assert "120" in told.inner_text()
    page.locator("select[name=task]").focus()
    page.keyboard.type("two")
    assert len(shown(looked)) == 60 and told.inner_text() == "60 of 120 examples of this page shown"
    page.keyboard.press("Tab")
    page.keyboard.type("los")
    assert set(shown(looked)) == {"right wrong", "right unparsed"}
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("unp")
    assert set(shown(looked)) == {"right unparsed"}
    group = page.locator(".ex-group").nth(2)
    assert group.get_attribute("open") is not None and page.locator(".ex-group").first.is_hidden()
    page.keyboard.press("Tab")
    page.keyboard.type("nothing like it")
    assert shown(looked) == [] and told.inner_text().startswith("0 of 120")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert len(shown(looked)) == 120 and page.locator("select[name=task]").input_value() == ""
    page.locator("input[name=words]").fill("WHO KNOWS")
    assert set(shown(looked)) == {"unparsed right", "right unparsed", "unparsed unparsed"}
    page.locator("button[value=all]").click()


@needs_browser
def test_what_is_asked_for_is_in_the_address(looked: Looked) -> None:
    page = looked.page
    plain = page.url.partition("#")[0]
    page.locator("select[name=after]").select_option("unparsed")
    page.locator("input[name=words]").fill("<b>&task=1")
    address = page.evaluate("location.href")
    page.locator("input[name=words]").fill("")
    wanted, found = page.evaluate("location.href"), shown(looked)
    assert "#examples?" in address and set(found) == {"right unparsed", "unparsed unparsed"}
    for asked, words, expected in ((address, "<b>&task=1", []), (wanted, "", found)):
        page.goto("about:blank")
        page.goto(asked)
        assert page.locator("input[name=words]").input_value() == words
        assert page.locator("select[name=task]").input_value() == "" and shown(looked) == expected
    page.goto("about:blank")
    page.goto(f"{plain}#examples?task=99&change=<i>")
    assert len(shown(looked)) == 120
    assert {url.partition("#")[0] for url in looked.asked} <= {plain, "about:blank"}
    looked.asked[:] = [plain]


@needs_browser
def test_without_scripts_everything_is_there(looked: Looked) -> None:
    browser = looked.page.context.browser
    assert browser is not None
    plain = browser.new_context(java_script_enabled=False).new_page()
    plain.goto(looked.page.url.partition("#")[0])
    assert plain.locator(".ex").count() == 120 and plain.locator(".ex-filter").is_hidden()
    plain.locator(".ex-group > summary").first.click()
    plain.locator(".ex > summary").first.click()
    assert plain.locator(".ex dd").first.is_visible()
