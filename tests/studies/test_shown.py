"""Results show themselves: in a real notebook kernel, in a real browser in both themes, in a terminal, and as data frames."""

import gzip
import json
import re
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import metaspo
from metaspo.domain.errors import ConfigError, MissingExtraError
from metaspo.reports.any_run import open_any
from metaspo.reports.listing import list_runs
from metaspo.reports.notebook.shown import Shown
from metaspo.studies.study import Study

from ..helpers.browser import looking_at, needs_browser
from ..helpers.executed import executed

pytestmark = pytest.mark.slow

HERE = Path(__file__).resolve().parents[1]
HOSTILE = (
    "</pre></div><script>document.title='taken'</script><img src=x onerror=alert(1)> $x^2$ {{7*7}} \x1b[31m\u202e & <b>bold</b>"
)
ROWS = [{"question": f"Is {n} odd? {HOSTILE if n % 7 == 0 else ''}", "answer": "yes" if n % 2 else "no"} for n in range(100)]
TASK = {
    "name": "parity", "examples": ROWS, "user_prompt": f"Yes or no? {HOSTILE}\n{{question}}",
    "reader": {"kind": "choice", "labels": ["yes", "no"], "from": "reply"},
}  # fmt: skip
UNEVEN = "scripted:tests.helpers.scripts:uneven"
NOVICE = {"base": "scripted:novice", "optimizer": "scripted:novice", "preset": "quick"}
UNSEEN = TASK | {"name": "unseen", "examples": [row | {"question": f"{row['question']} So?"} for row in ROWS]}


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Shown]:
    """One of each kind, all of one store."""
    folder = tmp_path_factory.mktemp("shown")
    store = str(folder / "m.db")
    given: dict[str, Any] = {"tasks": [TASK], "store": store, "system_prompt": HOSTILE, **NOVICE}
    result = metaspo.optimize(**given, targets=[UNSEEN])
    stopped = metaspo.optimize(**given, seed=1, budget={"calls": 20})
    general = metaspo.generalize(
        tasks=[UNSEEN], store=store, system_prompt=result.system_prompt, against=HOSTILE, test_size=20,
        user_prompts={"unseen": ["Yes or no?\n{question}", "{question} " + HOSTILE]}, base="scripted:novice",
    )  # fmt: skip
    adapting = metaspo.plan_adaptation(
        result.run, {"tasks": [UNSEEN], "iterations": 1, "train_size": 10, "test_size": 20, **NOVICE}, shares=[1], store=store
    )
    study = Study.model_validate(
        {"config": {"tasks": [TASK], "test_size": 20, **NOVICE}, "methods": ["fixed", "outer_only"], "store": store}
    )
    cells = metaspo.plan_study(study)
    metaspo.run_study(study, cells)
    asked = metaspo.optimize(**given | {"base": UNEVEN, "optimizer": UNEVEN, "method": "metaspo"}, approve="both", seed=2)
    return {
        "asked": asked, "result": result, "stopped": stopped, "report": result.report, "generalization": general,
        "failures": metaspo.open_failures(store, stopped.run), "curve": metaspo.open_curve(store, result.run),
        "comparison": metaspo.compare(result.report, stopped.report), "plan": metaspo.plan(metaspo.RunConfig(**given)),
        "adaptation plan": adapting, "adaptation": metaspo.adapt(adapting), "study plan": cells,
        "study": metaspo.study_report(f"study {HOSTILE}", study, cells),
    }  # fmt: skip


FRAMES = {
    "asked": {"tasks", "rounds", "candidates", "examples", "curve"},
    "result": {"tasks", "rounds", "candidates", "examples", "curve"}, "stopped": {"tasks", "rounds", "candidates", "examples", "curve"},
    "report": {"tasks", "rounds", "candidates", "examples", "curve"}, "generalization": {"tasks", "scores"},
    "failures": {"failures"}, "curve": {"points"}, "comparison": {"tasks"}, "plan": {"needs"}, "adaptation plan": {"searches"},
    "adaptation": {"points"}, "study plan": {"cells"}, "study": {"entries", "tasks", "paid"},
}  # fmt: skip


def raw(shown: dict[str, Shown]) -> str:
    """All cards on a page like a notebook's, which has tables and paragraphs of its own."""
    cards = "\n".join(
        f'<div class="jp-RenderedHTMLCommon" id="{name}">{one._repr_html_()}</div>' for name, one in shown.items()
    )
    return f'<p id="before">Mine</p><table id="mine"><tr><td>1</td></tr></table>{cards}<p id="after">Mine</p>'


@pytest.mark.parametrize("name", FRAMES)
def test_each_is_a_card_of_text_and_a_few_lines_in_a_terminal(name: str, shown: dict[str, Shown]) -> None:
    card, lines = shown[name]._repr_html_(), repr(shown[name])
    assert not re.search(r"<(script|img|b|a)\b|<[^>]*\s(on\w+|style|href|src)=", card), card
    assert "\x1b" not in card + lines and "\u202e" not in card + lines
    assert "mathjax_ignore" in card and "metaspo-cell" in card
    assert len(lines) < 6_000 and len(card) < 40_000 and lines.count("\n") < 80
    assert str(shown[name]) == lines


@pytest.mark.parametrize("name", FRAMES)
def test_each_has_tidy_rows(name: str, shown: dict[str, Shown]) -> None:
    with pytest.raises(ConfigError) as wrong:
        shown[name].to_pandas("nothing")
    assert set(str(wrong.value).partition("one of: ")[2].split(", ")) == FRAMES[name]
    for rows in FRAMES[name]:
        frame = shown[name].to_pandas(rows)
        assert list(frame.columns) and all(re.fullmatch(r"[a-z_]+", column) for column in frame.columns)
        for column in set(frame.columns) & {"score", "before", "after", "selecting", "test", "candidate", "baseline"}:
            known = frame[column].dropna()
            assert known.between(0, 1).all() if known.dtype != object else True
    assert len(shown[name].to_pandas()) or name in ("stopped", "asked")


def test_rows_of_a_run_are_what_its_report_says(shown: dict[str, Shown]) -> None:
    report: Any = shown["report"]
    [source, unseen] = report.tasks
    tasks = report.to_pandas()
    assert list(tasks["task"]) == ["parity", "unseen"] and list(tasks["after"]) == [source.after, unseen.after]
    examples = report.to_pandas("examples")
    means = examples.groupby(["task", "side"])["score"].mean()
    assert means["parity", "before"] == pytest.approx(source.before) and means["unseen", "after"] == pytest.approx(unseen.after)
    assert len(examples) == 2 * (source.examples + unseen.examples)
    assert {"right", "wrong"} == set(examples["kind"]) and examples["question"].str.contains("<script>").any()
    candidates = report.to_pandas("candidates")
    assert {"seed", "incumbent"} <= set(candidates["status"]) and candidates["text"].notna().sum() > 2


def test_what_a_run_gained_and_what_to_do_next_stand_in_its_card(shown: dict[str, Shown]) -> None:
    result: Any = shown["result"]
    card = result._repr_html_()
    assert "points" in card and "40 examples" in card and "Confirmed" in card and "<ins>" in card
    assert "<del>" in shown["comparison"]._repr_html_()
    assert "the budget of 20 calls is spent" in shown["stopped"]._repr_html_()
    assert f"metaspo.resume(&#39;{shown['stopped'].run[:8]}&#39;" in shown["stopped"]._repr_html_()  # type: ignore[attr-defined]


def test_what_waits_for_a_person_comes_first(shown: dict[str, Shown]) -> None:
    asked: Any = shown["asked"]
    [change, *_] = asked.request["changes"]
    assert f"Waits for your answer: user prompt of {change['task']}" in asked._repr_html_()
    assert change["after"].split("\n")[0] in repr(asked)
    assert f"metaspo.resume({asked.run[:8]!r}, store={asked.report.store!r}, answer='accept')" in repr(asked)


def old_stores(folder: Path) -> Iterator[Path]:
    """A store of each earlier schema, and those of the first versions."""
    for dump in (HERE / "store" / "schemas").glob("*.sql"):
        connection = sqlite3.connect(folder / f"{dump.stem}.db")
        connection.executescript(dump.read_text(encoding="utf-8"))
        connection.close()
        yield folder / f"{dump.stem}.db"
    for packed in (HERE / "runs" / "stores").glob("*.gz"):
        (folder / packed.stem).write_bytes(gzip.decompress(packed.read_bytes()))
        yield folder / packed.stem


def test_runs_of_earlier_versions_show_themselves(tmp_path: Path) -> None:
    found = [(path, row["run"]) for path in old_stores(tmp_path) for row in list_runs(path)]
    for path, run in found:
        report = open_any(path, run)
        assert "metaspo-cell" in report._repr_html_() and run[:8] in repr(report)
        assert len(report.to_pandas("rounds" if isinstance(report, metaspo.Report) else "scores")) >= 0
    assert len(found) > 10


def test_without_pandas_it_is_said_what_to_install(shown: dict[str, Shown], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match=r"a data frame needs the extra 'pandas': pip install 'metaspo\[pandas\]'"):
        shown["report"].to_pandas()


def test_settings_are_printed_by_their_beginnings(shown: dict[str, Shown]) -> None:
    task = metaspo.Task.model_validate(TASK)
    assert len(repr(task)) < 1_500 and repr(task).startswith("TaskSpec(name='parity'")
    assert len(repr(metaspo.RunConfig(tasks=[TASK], **NOVICE))) < 1_500
    assert len(repr(shown["report"].run)) < 1_000  # type: ignore[attr-defined]


LIGHT, DARK = "background:#fff;color:rgba(0,0,0,.87)", "background:#111;color:rgba(255,255,255,.87)"
SEEN = """() => {
  const contrast = (a, b) => {
    const light = (c) => { const [r, g, bl] = c.map((v) => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4 });
      return .2126 * r + .7152 * g + .0722 * bl };
    const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + .05) / (y + .05) };
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const back = getComputedStyle(document.body).backgroundColor;
  const drawn = (colour) => { canvas.fillStyle = back; canvas.fillRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3) };
  const signs = [...document.querySelectorAll('.metaspo-cell ins, .metaspo-cell del, .metaspo-cell .better, .metaspo-cell .worse')];
  return Math.min(...signs.map((one) => contrast(drawn(getComputedStyle(one).color), drawn(back)))) }"""


@needs_browser
@pytest.mark.parametrize(("width", "theme"), [(380, LIGHT), (1600, DARK)], ids=["light", "dark"])
def test_cards_fit_a_notebook_of_either_theme_and_leave_it_alone(
    width: int, theme: str, shown: dict[str, Shown], tmp_path: Path
) -> None:
    page, bare = tmp_path / "page.html", tmp_path / "bare.html"
    page.write_text(
        f'<!doctype html><meta charset="utf-8"><title>mine</title><body style="{theme}">{raw(shown)}', encoding="utf-8"
    )
    bare.write_text(
        f'<!doctype html><meta charset="utf-8"><title>mine</title><body style="{theme}">{raw({})}', encoding="utf-8"
    )
    styles = "['#before', '#mine td', '#after'].map((one) => JSON.stringify([...getComputedStyle(document.querySelector(one))]"
    styles += ".map((name) => getComputedStyle(document.querySelector(one)).getPropertyValue(name))))"
    with looking_at(page, width=width) as looked:
        assert looked.sideways() == 0 and looked.page.title() == "mine"
        assert looked.page.locator("script, img").count() == 0
        assert looked.page.locator(".metaspo-cell").count() == len(shown)
        assert HOSTILE.split(" ")[0] in looked.page.locator("#result").inner_text()
        assert looked.page.evaluate(SEEN) >= 4.5
        mine = looked.page.evaluate(styles)
    with looking_at(bare, width=width) as looked:
        assert [one for one in looked.page.evaluate(styles)] == mine


CELLS = [
    f"import metaspo, json\ngiven = json.loads({json.dumps(json.dumps({'tasks': [TASK], 'store': 'm.db', 'system_prompt': HOSTILE, **NOVICE}))})",
    "result = metaspo.optimize(**given)",
    "again = await metaspo.aoptimize(**given | {'seed': 1})",
    "quiet = metaspo.optimize(**given | {'seed': 2}, listener=lambda event: None)",
    "result",
    "result.report",
    "result.to_pandas('rounds')",
    # 20,000 calls of three runs at a time, as a study tells them.
    "live = metaspo.progress()\n"
    "spent = dict.fromkeys(['calls', 'cached', 'input_tokens', 'output_tokens', 'cached_tokens', 'cost', 'unpriced', 'estimated'], 0) | {'budget': {}}\n"
    "for run in ('a', 'b', 'c'):\n"
    "    live(run, {'event': 'round_opened', 'round': 1, 'rounds': 9, 'level': 'system', 'candidates': 3, 'evaluations': 20000})\n"
    "for n in range(20000):\n"
    "    live('abc'[n % 3], {'event': 'scored', 'round': 1, 'level': 'system', 'task': 't', 'split': 'train', 'score': .5,\n"
    "                        'examples': 1, 'unparsed': 0, 'ungraded': 0, 'sample': '', 'spent': spent | {'calls': n}})\n"
    "    live('abc'[n % 3], {'event': 'proposed', 'round': 1, 'level': 'system', 'task': '', 'position': 0, 'dropped': '<b>no\\x1b[31m', 'spent': spent | {'calls': n}})\n"
    "live.close()",
]  # fmt: skip


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> list[list[dict[str, Any]]]:
    return executed(tmp_path_factory.mktemp("notebook"), CELLS)


def test_a_run_in_a_notebook_shows_one_output_that_changes(outputs: list[list[dict[str, Any]]]) -> None:
    for cell in (1, 2, 7):
        [output] = outputs[cell]
        text = "".join(output["data"]["text/plain"])
        assert output["output_type"] == "display_data" and list(output["data"]) == ["text/plain"]
        assert text.count("\n") < 9 and len(text) < 2_000 and "\x1b" not in text
    assert "final test done" in "".join(outputs[1][0]["data"]["text/plain"])
    assert outputs[0] == outputs[3] == []


def test_a_result_in_a_notebook_is_a_card_and_a_few_lines(outputs: list[list[dict[str, Any]]]) -> None:
    for cell in (4, 5):
        [output] = outputs[cell]
        assert output["output_type"] == "execute_result" and set(output["data"]) == {"text/plain", "text/html"}
        html, text = ("".join(output["data"][kind]) for kind in ("text/html", "text/plain"))
        assert "metaspo-cell" in html and "<script" not in html and len(html) < 20_000
        assert text.startswith("Run ") and len(text) < 4_000
    assert "<table" in "".join(outputs[6][0]["data"]["text/html"])


def test_a_card_goes_on_by_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deep down").mkdir()
    store = tmp_path / "deep down" / "m.db"
    given: dict[str, Any] = {"tasks": [TASK], "store": store, **NOVICE}
    stopped = metaspo.optimize(**given, budget={"calls": 40})
    monkeypatch.chdir(tmp_path)
    # A notebook goes along with what it shows: a store that lies beside it is named from there.
    assert str(tmp_path) not in repr(stopped) and str(tmp_path) not in stopped._repr_html_()
    [code] = [line.removeprefix("Go on: ") for line in repr(stopped).split("\n") if line.startswith("Go on: ")]
    assert code == f"metaspo.resume({stopped.run[:8]!r}, store='deep down/m.db', budget={{'calls': 80}})"
    again = eval(code)
    assert again.report.usage.total_calls > 40
    assert f"metaspo report {again.run[:8]} --store 'deep down/m.db'" in repr(metaspo.resume(again.run, store=store, budget={}))
    assert repr(metaspo.open_curve(store)).startswith("Scores by round: ") and " 1 points" not in repr(
        metaspo.open_curve(store)
    )


def test_python_outside_a_notebook_is_silent_unless_asked(capsys: Any, store_path: Path) -> None:
    given: dict[str, Any] = {"tasks": [TASK], "store": store_path, **NOVICE}
    metaspo.optimize(**given)
    assert capsys.readouterr() == ("", "")
    metaspo.optimize(**given, listener=metaspo.progress())
    said = capsys.readouterr()
    assert said.out == "" and "final test done" in said.err and said.err.count("\n") < 40


def test_every_kind_is_tried(shown: dict[str, Shown]) -> None:
    assert {type(one).__name__ for one in shown.values()} == {kind.__name__ for kind in Shown.__subclasses__()}
