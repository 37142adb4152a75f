"""What comes over a wire stands in progress and reports as it came: it is no markup."""

from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner

from metaspo.cli.main import main
from metaspo.cli.progress import Progress

from ..helpers.endpoint import Endpoint, fail, say


@pytest.mark.long
def test_markup_from_an_endpoint_is_text(endpoint: Endpoint, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)

    def act(request: Any, body: Any, number: int) -> Any:
        text = body["messages"][-1]["content"]
        if "between <prompt> and </prompt>" in text:
            return say("nothing [/bold] \ud83d", "[/x]")
        if "BEGIN DATA" in text:
            return say("Why.")
        return fail(400, "[/y] [red]no") if number % 13 == 5 else say(("billing", "technical")[number % 2])

    endpoint.act = act
    model = f"server:m,base_url={endpoint.url},concurrency=4"
    words = ["optimize", "--task", "tickets.yaml", "--base", model, "--optimizer", model, "--method", "metaspo"]
    assert CliRunner().invoke(main, ["init"]).exit_code == 0
    result = CliRunner().invoke(main, [*words, "--preset", "quick"])
    assert result.exit_code == 0, result.output
    assert "[/x]" in result.output and "[/y] [red]no" in result.output
    shown = CliRunner().invoke(main, ["show"])
    assert shown.exit_code == 0 and "[/y] [red]no" in shown.output


def test_a_run_that_follows_another_has_a_pace_of_its_own(capsys: Any) -> None:
    progress = Progress()
    for calls in (72, 788, 3):
        spent = {
            "calls": calls,
            "cached": 0,
            "input_tokens": 0,
            "output_tokens": 0,
            "cost": 0.0,
            "unpriced": 0,
            "estimated": 0,
            "budget": {},
        }
        closed = {"round": 1, "level": "system", "score": 0.5, "accepted": 0, "dropped": 0, "incumbent": "x", "spent": spent}
        progress.listen(cast(Any, {"event": "round_closed", **closed}))
    assert " 3 calls, 0 s" in capsys.readouterr().err


def test_past_events_are_fed_with_their_times(capsys: Any) -> None:
    progress = Progress(clock=lambda: 1000.0)
    spent = {"cached": 0, "input_tokens": 0, "output_tokens": 0, "cost": None, "unpriced": 0, "estimated": 0, "budget": {}}
    progress.listen(
        cast(Any, {"event": "round_opened", "round": 0, "rounds": 2, "level": "seed", "candidates": 0, "evaluations": 1}), 100.0
    )
    closed = {"event": "round_closed", "round": 0, "level": "seed", "score": 0.5, "accepted": 0, "dropped": 0, "incumbent": "x"}
    progress.listen(cast(Any, {**closed, "spent": {**spent, "calls": 50}}), 110.0)
    assert "score 50.0, 50 calls, 5.0 calls/s, 10 s" in capsys.readouterr().err
    progress.listen(cast(Any, {"event": "of a later version"}))
    assert capsys.readouterr().err == ""
