"""Tables at every width: no line is wider, every heading and figure is there and whole, whatever the names are."""

from collections.abc import Sequence

import pytest
from rich.cells import cell_len

from metaspo.cli import show
from metaspo.cli.screen import Screen
from metaspo.cli.tables import Fitted, Kind, rows_as_table

LONG = "a_task_whose_name_is_as_long_as_sixty_characters_can_be_and_"
NAMES = ("parity", f"{LONG}1", f"{LONG}2", "客户支持的工单", "smile😀_👍🏽_❤️", "x" * 150, "", "a\nb\tc", "[red]\x1b[31m")
FIGURES = ("1,234,567", "-100 to +100", "0.0001", "12,345,678.9012", "100 -> 100")
BASES = [f"openai:gpt-4o-mini-2024-07-1{number}" for number in range(5)]


def lines_of(made: Fitted, width: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(width))
    screen = Screen()
    with screen.capture() as taken:
        screen.print(made)
    return taken.get().splitlines()


def scores() -> Fitted:
    made = Fitted(
        {"task": "lead", **dict.fromkeys(("calls", "95% interval", "cost", "the sum", "unparsed"), "figure")}, "Scores"
    )
    for name in NAMES:
        made.add(name, *FIGURES)
    made.add("mean of source tasks", "", *FIGURES[1:], style="bold", ends=True)
    return made


@pytest.mark.parametrize("width", [18, 20, 30, 40, 59, 60, 61, 80, 100, 120, 240])
def test_nothing_is_lost_or_cut_at_any_width(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = lines_of(scores(), width, monkeypatch)
    assert max(map(cell_len, lines)) <= width
    shown = "\n".join(lines)
    for figure in FIGURES:
        assert shown.count(figure) >= len(NAMES)
    for heading in ("task", "calls", "95% interval", "cost", "the sum", "unparsed"):
        assert heading in shown
    whole = "".join("".join(lines).split())
    assert (
        f"{LONG}1" in whole and f"{LONG}2" in whole and "客户支持的工单" in whole and "\x1b" not in shown and "…" not in shown
    )


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_five_base_models_are_told_apart(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Fitted({"task": "lead", "base model": "lead", "before": "figure", "after": "figure", "change": "figure"})
    for task in NAMES[:3]:
        for base in BASES:
            made.add(task, base, "12.5", "100.0", "+87.5")
    lines = lines_of(made, width, monkeypatch)
    assert max(map(cell_len, lines)) <= width and "\n".join(lines).count("+87.5") == 15
    assert all("".join("".join(lines).split()).count(base) == 3 for base in BASES)


def test_rows_show_what_their_columns_are(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        {"round": 3, "score": 0.5, "id": "1f1e97c5-83e9-6a52-8002-94ffd2d8767c", "none": None, "says": "Think twice. " * 20}
    ]
    for width in (40, 80, 120):
        shown = lines_of(rows_as_table(rows, id="word"), width, monkeypatch)
        assert max(map(cell_len, shown)) <= width and any(rows[0]["id"] in line for line in shown)  # type: ignore[operator]
        assert all(any(name in line for line in shown) for name in rows[0])
        assert " ".join(" ".join(shown).split()).count("Think twice.") >= 18


def test_columns_of_the_same_name_are_both_there(monkeypatch: pytest.MonkeyPatch) -> None:
    columns: Sequence[tuple[str, Kind]] = [("", "lead"), ("1f1e97c5", "text"), ("1f1e97c5", "text")]
    made = Fitted(columns)
    made.add("calls", "12", "34")
    for width in (20, 80):
        shown = "\n".join(lines_of(made, width, monkeypatch))
        assert "12" in shown and "34" in shown and shown.count("1f1e97c5") == 2


def test_branches_stand_below_what_they_came_from(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    server = "1f1e97c5-83e9-6a52-8002-94ffd2d8767"
    row = {"status": "done", "method": "m", "round": 1, "score": 0.5, "calls": 1234567, "cost": 12345.6789, "unpriced": 2}
    rows = [
        {"run": f"{server}{n}", "parent": f"{server}{n - 1}" if n else None, **row, "started": "2026-01-01"} for n in range(3)
    ]
    for width in (40, 60, 80, 120):
        monkeypatch.setenv("COLUMNS", str(width))
        show.runs(rows)
        shown = capsys.readouterr().out
        lines = shown.splitlines()
        assert max(map(cell_len, lines)) <= width and shown.count("12,345.6789 + unknown for 2 calls") == 3
        assert f"\n  └ {server}2" in shown
        assert all("".join(shown.split()).count(f"{server}{n}") == 1 for n in range(3))
