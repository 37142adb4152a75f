"""LangChain's providers on the command line and in a config: whole runs over HTTP on loopback, and what stops one at its start."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from metaspo.cli.main import main

from ..helpers.protocols import Anthropic, Gemini, Ollama

pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")

KEY = "qx7-5up3r-9f2c81d7e6"
Metaspo = Callable[..., Any]


@pytest.fixture
def metaspo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Metaspo:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.setenv("GOOGLE_API_KEY", KEY)

    def run(*words: str, exit_code: int = 0) -> Any:
        result = CliRunner().invoke(main, words)
        assert result.exit_code == exit_code, result.output
        assert "Traceback" not in result.output and KEY not in result.output
        return result

    return run


@pytest.fixture
def claude() -> Iterator[Anthropic]:
    server = Anthropic(
        lambda request, body, number: server.says("billing" if "charged" in str(body) else "technical", thought="Hm.")
    )
    yield server
    server.close()


@pytest.mark.long
def test_a_whole_run_with_claude_as_base(metaspo: Metaspo, claude: Anthropic, tmp_path: Path) -> None:
    metaspo("init")
    words = ["optimize", "metaspo.yaml", "--base", f"anthropic:claude-x,base_url={claude.url}", "--optimizer", "scripted:dice"]
    data = json.loads(metaspo(*words, "--json").stdout)
    assert data["run"]["status"] == "done" and data["usage"]["calls"]["base"] == len(claude.seen) > 20
    assert not data["usage"]["estimated"]
    repeated = json.loads(metaspo(*words, "--json").stdout)
    assert repeated["system_after"] == data["system_after"] and len(claude.seen) == data["usage"]["calls"]["base"]
    db = sqlite3.connect(tmp_path / "metaspo.db")
    assert {row[0] for row in db.execute("SELECT model FROM calls")} >= {"anthropic:claude-x"}
    db.close()
    assert KEY.encode() not in (tmp_path / "metaspo.db").read_bytes()
    assert "anthropic:claude-x" in metaspo("show").output


def test_gemini_grades_what_ollama_answers(metaspo: Metaspo, tmp_path: Path) -> None:
    gemini, ollama = Gemini(), Ollama()
    gemini.act = lambda request, body, number: gemini.says("<grade>4</grade>", thought="<grade>1</grade>")
    rows = [{"question": f"Rhyme number {i}", "answer": str(i)} for i in range(40)]
    judge = f"google_genai:gemini-x,base_url={gemini.url}"
    task = {
        "name": "rhymes",
        "examples": rows,
        "user_prompt": "Answer in verse.\n{question}",
        "reader": {"kind": "text", "from": "reply"},
    }
    task["metric"] = {"kind": "judge", "rubric": "It rhymes.", "model": judge}
    base = {"provider": "ollama", "name": "llama3.2:3b", "base_url": ollama.url, "options": {"num_ctx": 2048}}
    config = {"tasks": [task], "base": base, "optimizer": "scripted:dice", "method": "common_first", "preset": "quick"}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(config | {"test_size": 8, "train_size": 8, "iterations": 1}))
    calls = json.loads(metaspo("optimize", "mine.yaml", "--json").stdout)["usage"]["calls"]
    assert calls["judge"] == len(gemini.seen) > 8 and calls["base"] == len(ollama.seen) > 8
    assert ollama.seen[0]["options"]["num_ctx"] == 2048 and ollama.seen[0]["model"] == "llama3.2:3b"
    gemini.close()
    ollama.close()


@pytest.mark.long
@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("groq:llama-3.3-70b", "groq:llama-3.3-70b needs the package langchain-groq: pip install langchain-groq"),
        ("bedrock_converse:anthropic.claude-x-v1:0", "pip install langchain-aws"),
        ("mistralai:mistral-small", "pip install langchain-mistralai"),
        ("antropic:claude-x", "there is no provider of this name; did you mean anthropic?"),
        ("gemini:flash", "did you mean google_genai?"),
        ("anthropic:claude-x,options.num_ctx=1", "ChatAnthropic knows no option 'num_ctx'"),
        ("azure_openai:gpt-4o,options.api_version=2024-10-21", "set the environment variable AZURE_OPENAI_API_KEY"),
        ("anthropic:claude-x,api_key_env=NOT_SET", "set the environment variable NOT_SET"),
    ],
)
@pytest.mark.parametrize("role", ["optimizer", "judge"])
def test_what_cannot_be_opened_ends_a_run_before_any_call(
    role: str, model: str, says: str, metaspo: Metaspo, claude: Anthropic, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AZURE_OPENAI_API_KEY", "OPENAI_API_KEY", "GROQ_API_KEY", "MISTRAL_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    metaspo("init")
    base = f"anthropic:claude-x,base_url={claude.url}"
    words = [
        "optimize",
        "metaspo.yaml",
        "--base",
        base,
        "--optimizer",
        model if role == "optimizer" else "scripted:dice",
        "--preset",
        "paper",
    ]
    if role == "judge":
        task = yaml.safe_load((tmp_path / "tickets.yaml").read_text()) | {"constrain": False}
        task |= {"reader": {"kind": "text", "from": "reply"}, "metric": {"kind": "judge", "rubric": "Right.", "model": model}}
        (tmp_path / "tickets.yaml").write_text(yaml.safe_dump(task))
    assert says in metaspo(*words, exit_code=2).stderr and not claude.seen


@pytest.mark.long
def test_a_key_that_is_not_there_is_named(metaspo: Metaspo, monkeypatch: pytest.MonkeyPatch) -> None:
    metaspo("init")
    for model, name in {"anthropic:c": "ANTHROPIC_API_KEY", "google_genai:g": "GOOGLE_API_KEY"}.items():
        monkeypatch.delenv(name, raising=False)
        said = metaspo("optimize", "metaspo.yaml", "--base", model, "--optimizer", "scripted:dice", exit_code=2).stderr
        assert f"{model} needs a key: set the environment variable {name}" in said


@pytest.mark.long
def test_a_provider_can_be_set_with_set(metaspo: Metaspo, claude: Anthropic) -> None:
    metaspo("init")
    base = f"base=anthropic:claude-x,base_url={claude.url},options.top_k=5"
    metaspo("optimize", "metaspo.yaml", "--set", base, "--optimizer", "scripted:dice")
    assert claude.seen[0]["top_k"] == 5


@pytest.mark.long
@pytest.mark.parametrize("model", ["claude-fable-5", "claude-x"], ids=["refused by the package", "refused by the endpoint"])
def test_a_temperature_that_nobody_asked_for_is_left_out(model: str, metaspo: Metaspo, claude: Anthropic) -> None:
    answer, words = claude.act, "temperature is deprecated for this model."
    claude.act = lambda request, body, number: (
        claude.fails(400, words) if "temperature" in body else answer(request, body, number)
    )
    metaspo("init")
    base = f"anthropic:{model},base_url={claude.url}"
    said = metaspo("optimize", "metaspo.yaml", "--base", base, "--optimizer", "scripted:dice")
    assert "takes no temperature" in said.output
    assert sum("temperature" in body for body in claude.seen) == (model == "claude-x")
    asked = metaspo(
        "optimize", "metaspo.yaml", "--base", f"{base},temperature=0.5", "--optimizer", "scripted:dice", exit_code=2
    )
    assert "temperature=default" in asked.output
