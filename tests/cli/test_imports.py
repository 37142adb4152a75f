"""What is asked for often loads little. Held by the modules that are imported; benchmarks/imports.py has the seconds."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from metaspo.cli.main import main
from metaspo.cli.runs import FORMS
from metaspo.reports import export
from metaspo.studies.adapt import SHARES

HEAVY = re.compile(r"(langchain|langgraph|langsmith|openai|pydantic|sqlite_utils|aiohttp|numpy|ray|yaml)\w*")
BIN = Path(sys.executable).parent
COMPLETION = {"_METASPO_COMPLETE": "bash_complete", "COMP_WORDS": "metaspo re", "COMP_CWORD": "1"}


def imported(tmp_path: Path, *words: str, **environment: str) -> tuple[str, set[str]]:
    """What a command of this environment prints, and the packages that it has loaded when it ends."""
    (tmp_path / "sitecustomize.py").write_text(
        "import atexit, os, sys\natexit.register(lambda: open(os.environ['MODULES'], 'w').write(' '.join(sys.modules)))\n"
    )
    environment |= {"PYTHONPATH": str(tmp_path), "MODULES": str(tmp_path / "modules")}
    done = subprocess.run(
        [BIN / words[0], *words[1:]], capture_output=True, text=True, env=os.environ | environment, cwd=tmp_path, check=True
    )
    return done.stdout, {name.partition(".")[0] for name in (tmp_path / "modules").read_text().split()}


@pytest.mark.parametrize(
    ("words", "environment", "says"),
    [
        (["python", "-c", "import metaspo"], {}, ""),
        (["metaspo", "--help"], {}, "optimize"),
        (["metaspo", "--version"], {}, "version"),
        (["metaspo", "optimize", "--help"], {}, "--optimizer"),
        (["metaspo", "tasks", "fetch", "--help"], {}, "--from"),
        (["metaspo"], COMPLETION, "plain,resume"),
    ],
    ids=["import", "help", "version", "optimize", "fetch", "completion"],
)
def test_nothing_heavy_is_loaded(words: list[str], environment: dict[str, str], says: str, tmp_path: Path) -> None:
    told, packages = imported(tmp_path, *words, **environment)
    assert says in told and "metaspo" in packages
    assert not {name for name in packages if HEAVY.fullmatch(name)}


@pytest.mark.long
def test_a_search_does_load_what_is_heavy(tmp_path: Path) -> None:
    """The check above can fail."""
    assert {"langgraph", "pydantic"} <= imported(tmp_path, "python", "-c", "import metaspo; metaspo.optimize")[1]


@pytest.mark.slow
def test_a_method_brings_its_system_prompt_in_a_fresh_process(tmp_path: Path) -> None:
    tokens = []
    for method in ("default", "service"):
        words = ["--method", method, "--base", "scripted:dice", "--optimizer", "scripted:dice", "--plan", "--json"]
        needs = json.loads(imported(tmp_path, "metaspo", "optimize", *words)[0])
        tokens.append(sum(need["input_tokens"] for need in needs))
    assert tokens[1] > 2 * tokens[0]


def test_what_the_command_line_repeats_is_what_the_rooms_say() -> None:
    assert FORMS == export.FORMS
    [shares] = [option for option in main.commands["adapt"].params if option.name == "shares"]
    assert shares.default == ",".join(f"{share:g}" for share in SHARES)
