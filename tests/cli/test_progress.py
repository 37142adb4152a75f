"""What comes over a wire stands in progress and reports as it came: it is no markup."""

from pathlib import Path
from typing import Any

from click.testing import CliRunner

from metaspo.cli.main import main

from ..helpers.endpoint import Endpoint, fail, say


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
