"""docs/job-arrays.md, carried out: its scripts as they stand there, with a stand-in for Slurm and a real endpoint that counts."""

import hashlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from ..helpers import slurm
from ..helpers.endpoint import Body, Endpoint, say

ROOT = Path(__file__).resolve().parents[2]

COMMANDS, PART, TABLE, SUBMITTED = re.findall(r"```bash\n(.*?)```", (ROOT / "docs" / "job-arrays.md").read_text(), re.DOTALL)

pytestmark = pytest.mark.slow


def answer(request: Any, body: Body, number: int) -> Any:
    """Right or wrong by the hash of what is asked."""
    asked = int(hashlib.sha256(json.dumps([body["messages"], body.get("seed")]).encode()).hexdigest()[:8], 16)
    last = body["messages"][-1]["content"]
    if "between <prompt> and </prompt>" in last:
        end = "\n{question}" if "{question} exactly once" in last else ""
        return say(f"<prompt>Prompt {asked}.{end}</prompt>")
    return say("yes" if asked % 3 else "no")


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint(answer)
    yield made
    made.close()


@pytest.fixture
def cluster(tmp_path: Path, endpoint: Endpoint) -> Path:
    """A folder with what the page says, and a Slurm of its own."""
    (tmp_path / "bin").mkdir()
    commands = {
        "sbatch": f'exec {sys.executable} {slurm.__file__} "$@"', "metaspo": f'exec {sys.executable} -m metaspo "$@"',
        "scontrol": 'echo "$@" >> "$SLURM_HOME/requeued"',
    }  # fmt: skip
    for name, line in commands.items():
        (tmp_path / "bin" / name).write_text(f"#!/bin/bash\n{line}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    for name in ("work", "whole", "scratch"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "table.yaml").write_text(yaml.safe_dump(study(endpoint)))
    (tmp_path / "work" / "part.sbatch").write_text(PART)
    (tmp_path / "work" / "table.sbatch").write_text(TABLE)
    return tmp_path


def study(endpoint: Endpoint) -> dict[str, Any]:
    def block(name: str) -> dict[str, Any]:
        return {
            "name": name, "user_prompt": "Say yes or no.\n{question}",
            "reader": {"kind": "choice", "labels": ["yes", "no"], "from": "reply"},
            "examples": [{"question": f"Is {i} what {name} likes?", "answer": "yes" if i % 2 else "no"} for i in range(30)],
        }  # fmt: skip

    model = endpoint.spec(concurrency=8)
    return {
        "config": {"base": model, "optimizer": model, "preset": "quick", "iterations": 1, "train_size": 8, "test_size": 6},
        "methods": ["fixed", "metaspo"],
        "settings": {"one": {"tasks": [block("a")], "targets": [block("x")]}, "two": {"tasks": [block("b")], "targets": [block("y")]}},
        "seeds": [0], "measures": {"own": {"test": {}}, "unseen": {"generalize": {"prompts": 1}}}, "store": "table.db",
    }  # fmt: skip


def shell(cluster: Path, script: str, folder: str = "work", **variables: str) -> subprocess.CompletedProcess[str]:
    """Carry a block out as somebody at a terminal does."""
    path = f"{cluster / 'bin'}:{os.environ['PATH']}"
    own = {"PATH": path, "SLURM_HOME": str(cluster), "TMPDIR": str(cluster / "scratch"), "PYTHONPATH": str(ROOT), **variables}
    return subprocess.run(
        ["bash", "-e", "-c", script], cwd=cluster / folder, env=os.environ | own, capture_output=True, text=True, check=True
    )


def recorded(folder: Path, pattern: str) -> int:
    """The calls in stores."""
    count = 0
    for path in folder.glob(pattern):
        with closing(sqlite3.connect(path)) as db:
            count += db.execute("SELECT count(*) FROM calls").fetchone()[0]
    return count


def found(folder: Path) -> tuple[str, Any]:
    """What a study's table says; what was paid is more in parts, which share no calls."""
    return (folder / "table.csv").read_text(), json.loads((folder / "table.json").read_text())["entries"]


def test_the_commands_make_the_table_that_one_process_makes(cluster: Path, endpoint: Endpoint) -> None:
    shell(cluster, "metaspo study table.yaml", "whole")
    whole = len(endpoint.seen)
    lines = re.sub(r"3/8", "$k/3", COMMANDS).replace("of-8", "of-3").splitlines()
    shell(cluster, "\n".join(["for k in 1 2 3; do", *lines[:2], "done"]))
    asked = len(endpoint.seen) - whole
    assert asked == recorded(cluster / "work", "table.*-of-3.db") >= whole
    shell(cluster, "\n".join(lines[2:]))
    assert len(endpoint.seen) == whole + asked
    assert found(cluster / "work") == found(cluster / "whole")


def test_the_jobs_make_the_table_though_a_part_is_killed(cluster: Path, endpoint: Endpoint) -> None:
    shell(cluster, "metaspo study table.yaml", "whole")
    whole, killed = len(endpoint.seen), list[int]()

    def kill_once(request: Any, body: Body, number: int) -> Any:
        if len(killed) < 1 and number > whole + 40:
            for pid in (cluster / "jobs").glob("*.pid"):
                for child in psutil.Process(int(pid.read_text())).children() if psutil.pid_exists(int(pid.read_text())) else ():
                    if not killed and "study" in child.cmdline():
                        killed.append(int(pid.stem.partition("_")[2]))
                        child.send_signal(signal.SIGKILL)
        return answer(request, body, number)

    endpoint.act = kill_once
    shell(cluster, SUBMITTED)
    codes = [int(code) for code in (cluster / "jobs" / "1").read_text().split()]
    [part] = killed
    assert codes[part - 1] == 137 and sum(codes) == 137 and len(codes) == 8
    # It was not done, so no table was begun; what it had on record came back from the node's disk.
    assert (cluster / "jobs" / "2").read_text() == "" and not (cluster / "work" / "table.db").exists()
    assert recorded(cluster / "work", f"table.{part}-of-8.db") > 0 and [*(cluster / "scratch").iterdir()] == [
        cluster / "scratch" / "table.yaml"
    ]
    shell(cluster, f"PARTS=8 sbatch --array={part} part.sbatch; sbatch table.sbatch")
    assert (cluster / "jobs" / "3").read_text() == (cluster / "jobs" / "4").read_text() == "0"
    assert found(cluster / "work") == found(cluster / "whole")
    # Only what was in flight when it was killed is asked again.
    assert len(endpoint.seen) - whole - recorded(cluster / "work", "table.*-of-8.db") <= 8


def test_a_part_that_runs_out_of_time_drains_comes_back_and_queues_itself_again(cluster: Path, endpoint: Endpoint) -> None:
    def warn(request: Any, body: Body, number: int) -> Any:
        if number == 20:
            os.kill(int((cluster / "jobs" / "1_1.pid").read_text()), signal.SIGUSR1)
        return answer(request, body, number)

    endpoint.act = warn
    shell(cluster, "PARTS=1 sbatch --array=1 part.sbatch")
    asked = len(endpoint.seen)
    assert (cluster / "jobs" / "1").read_text() == "130" and (cluster / "requeued").read_text() == "requeue 1\n"
    assert asked == recorded(cluster / "work", "table.1-of-1.db")
    shell(cluster, "PARTS=1 sbatch --array=1 part.sbatch")
    assert (cluster / "jobs" / "2").read_text() == "0"
    assert len(endpoint.seen) == recorded(cluster / "work", "table.1-of-1.db")


def test_the_variables_of_other_schedulers_are_named() -> None:
    page = (ROOT / "docs" / "job-arrays.md").read_text()
    assert all(name in page for name in ("JOB_COMPLETION_INDEX + 1", "SLURM_ARRAY_TASK_ID + 1", "parallel -j"))
