"""Keys are in no artefact: not after a run that passes, not after one that fails."""

import base64
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from metaspo.cli.main import main

from ..helpers import forked
from ..helpers.endpoint import Endpoint, fail, say

KEY = "zq9secretvalue7431"


WORDS = {
    "whole": f"Incorrect API key provided: {KEY}.",
    "cut by us": "x" * 285 + KEY,
    "cut by them": f"Incorrect key {KEY[:9]}...{KEY[-7:]}",
    "in base64": base64.b64encode(f"user:{KEY}".encode()).decode(),
    "in an address": f"no such page: https://user:{KEY}@host/v1?key={KEY}#{KEY}",
}
"""What endpoints have been seen to say of a key, or could."""


def ended(*words: str, alone: bool = False) -> tuple[int, str]:
    """How a command ended and all that it said, in a process of its own or in this one."""
    if not alone:
        result = CliRunner().invoke(main, words)
        return result.exit_code, result.output
    done = forked.run([sys.executable, "-m", "metaspo", *words], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.long
@pytest.mark.parametrize("words", [None, *WORDS])
def test_a_key_is_in_no_file_and_on_no_screen(
    words: str | None, tmp_path: Path, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails = words is not None

    def act(request: Any, body: Any, number: int) -> Any:
        return fail(401, WORDS[words]) if words else say(f"billing, {KEY}")

    endpoint.act = act
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MY_SECRET", KEY)
    assert CliRunner().invoke(main, ["init"]).exit_code == 0
    model = f"server:m,base_url={endpoint.url},api_key_env=MY_SECRET"
    line = ["optimize", "metaspo.yaml", "--base", model, "--optimizer", model]
    code, outputs = ended(*line, alone=words in (None, "whole"))
    assert code == (2 if fails else 0), outputs
    assert endpoint.headers[0]["Authorization"] == f"Bearer {KEY}"
    for command in (["show"], ["show", "--json"], ["runs", "--json"], ["export"], ["history", "--json"]):
        shown = CliRunner().invoke(main, [*command, "--store", str(tmp_path / "metaspo.db")])
        assert shown.exit_code == 0
        outputs += shown.output
    for part in (KEY[:6], KEY[-6:], base64.b64encode(b"user:" + KEY.encode()).decode()[10:-4]):
        assert part not in outputs
        for path in tmp_path.rglob("*"):
            assert path.is_dir() or part.encode() not in path.read_bytes(), (path, part)


@pytest.mark.parametrize(
    "url", [f"http://user:{KEY}@127.0.0.1:9/v1", f"http://127.0.0.1:9/v1?key={KEY}", f"http://127.0.0.1:9/v1#{KEY}"]
)
def test_a_key_inside_a_url_is_refused_and_not_repeated(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "c.yaml").write_text(f"base: {{provider: server, name: m, base_url: '{url}'}}\n")
    for words in (["optimize", "c.yaml"], ["optimize", "--base", f"server:m,base_url={url}"]):
        code, said = ended(*words)
        assert code == 2 and "put the key in an environment variable" in said and KEY not in said
    assert not list(tmp_path.glob("*.db"))
