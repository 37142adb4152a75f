"""Nothing in data acts on a terminal: escapes are shown, markup is text, and what an encoding lacks is never fatal."""

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from metaspo.cli.main import main
from metaspo.cli.screen import panel, plain
from metaspo.cli.show import console, table

from ..helpers import forked
from ..helpers.endpoint import Endpoint, fail

ODD = "[/x][red]r[/red][link=http://x]l[/link] :smile: \x1b[31m\x1b]0;t\x07\x9b2J a\rb\b\u202e\u200b"
SHOWN = r"[/x][red]r[/red][link=http://x]l[/link] :smile: \x1b[31m\x1b]0;t\x07\x9b2J a\x0db\x08\u202e\u200b"
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202e]")
DICE = ["--base", "scripted:dice", "--optimizer", "scripted:dice", "--set", "iterations=1", "--set", "test_size=4"]


def test_only_the_screen_prints() -> None:
    for path in Path("metaspo/cli").glob("*.py"):
        if path.name != "screen.py":
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"click\.s?echo|\bprint\((?<!\.print\()|rich\.(text|panel) import|import Console", text), path


def test_whatever_rich_prints_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    for thing in (plain(ODD), ODD):
        console.print(thing, soft_wrap=True)
        assert SHOWN in capsys.readouterr().out
    console.print(panel(ODD, ODD))
    shown = capsys.readouterr().out
    assert shown.count("[/x][red]r[/red][link=http://x]l[/link] :smile:") == 2 and not UNSAFE.search(shown)
    table([{ODD: ODD}])
    shown = capsys.readouterr().out
    assert not UNSAFE.search(shown) and "[/x]" in shown and "[link=" in shown


def test_every_command_shows_odd_prompts_and_exports_them_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> Any:
        done = CliRunner().invoke(main, words)
        assert done.exit_code in (0, 4), done.output
        return done

    prompt = f"Be brief. {ODD} é中"
    run("init")
    run(
        "optimize",
        "metaspo.yaml",
        *DICE,
        "--set",
        f"system_prompt={prompt}",
        "--set",
        "method=outer_only",
        "--set",
        "approve=system",
    )
    for words in (
        ["approve"],
        ["show"],
        ["history"],
        ["runs"],
        ["diff", "last"],
        ["tasks", "preview", "tickets.yaml", "--system", prompt],
    ):
        shown = run(*words).output
        assert not UNSAFE.search(shown), (words, UNSAFE.search(shown))
    assert "[/x][red]r[/red]" in run("show").output
    data = run("show", "--json").stdout
    assert json.loads(data)["system_before"] == prompt and not UNSAFE.search(data)
    run("export", "--format", "text", "--output", "out.txt")
    assert (tmp_path / "out.txt").read_bytes().decode() == f"{json.loads(data)['system_after']}\n"


def test_words_of_an_endpoint_are_shown_too(endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    CliRunner().invoke(main, ["init"])
    endpoint.act = lambda *_: fail(401, ODD)
    model = f"server:m,base_url={endpoint.url}"
    done = CliRunner().invoke(main, ["optimize", "metaspo.yaml", "--base", model, "--optimizer", model])
    assert done.exit_code == 2 and "Traceback" not in done.output
    assert r"\x1b[31m" in done.output and "[/x][red]" in done.output and not UNSAFE.search(done.output)


@pytest.mark.long
@pytest.mark.parametrize(
    "settings", [{"PYTHONIOENCODING": "cp1252"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}]
)
def test_an_old_console_gets_codes_for_what_it_lacks(settings: dict[str, str], tmp_path: Path) -> None:
    code = "\n".join(
        [
            "import json, sys",
            "from metaspo.cli.main import main",
            "for words in json.loads(sys.argv[1]):",
            "    try: main(words)",
            "    except SystemExit as end: assert not end.code, words",
            "    print('=== next')",
        ]
    )

    def run(*lines: list[str]) -> list[bytes]:
        """What each of several commands in one process printed."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG"))} | settings
        done = forked.run(
            [sys.executable, "-c", code, json.dumps(lines)], cwd=tmp_path, env=environment, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return re.split(rb"=== next\r?\n", done.stdout)

    assert CliRunner().invoke(main, ["init", str(tmp_path)]).exit_code == 0
    prompt = "Answer → 中 😀 é"
    (tmp_path / "c.yaml").write_text(
        (tmp_path / "metaspo.yaml").read_text(encoding="utf-8").replace("system_prompt:", "# ")
        + f"\nsystem_prompt: {prompt}\n",
        encoding="utf-8",
    )
    lines = [["optimize", "c.yaml", *DICE], ["show"], ["show", "--json"], ["export"], ["runs"], ["history"]]
    _, shown, data, exported, *_ = run(*lines)
    assert b"\\u2192" in shown
    assert json.loads(data.decode("ascii"))["system_before"] == prompt
    assert json.loads(exported.decode("ascii"))["system_before"] == prompt
