"""What docs/scale.md says of Ray Serve, carried out with a real Ray in an environment of its own, and the built-in model."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

import metaspo

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "scale.md"
SERVING = r"(serve run --app-dir examples/serve smollm2:app)\n"


def commands() -> tuple[str, str]:
    """The page's commands: what serves, and what optimizes."""
    found = re.search(SERVING + r"(metaspo optimize [^\n]*)\n", PAGE.read_text(encoding="utf-8"))
    assert found, "docs/scale.md does not say how to serve on Ray"
    return found[1], found[2]


def test_the_page_and_the_example_say_the_same() -> None:
    assert all(command in (ROOT / "examples" / "serve" / "smollm2.py").read_text(encoding="utf-8") for command in commands())


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Path]:
    """An environment with ray[serve] in which the page's first command runs; its folder of programs."""
    programs = tmp_path / "env" / "bin"
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "env"], check=True)
    wanted = ["--quiet", "--editable", f"{ROOT}[local]", "ray[serve]"]
    subprocess.run([programs / "python", "-m", "pip", "install", *wanted], check=True)
    # Ray's sockets lie in it: a path of theirs may have 107 bytes.
    of_ray = Path(tempfile.mkdtemp(prefix="ray-"))
    environment = {
        **os.environ, "RAY_ADDRESS": "local", "RAY_TMPDIR": str(of_ray), "RAY_USAGE_STATS_ENABLED": "0",
        "PATH": f"{programs}:{os.environ['PATH']}",
    }  # fmt: skip
    with (tmp_path / "serve.log").open("wb") as log:
        process = subprocess.Popen(commands()[0].split(), cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        for _ in range(600):
            assert process.poll() is None, (tmp_path / "serve.log").read_text()
            try:
                with urlopen("http://127.0.0.1:8000/v1/models", timeout=5):
                    break
            except (URLError, OSError):
                time.sleep(0.5)
        yield programs
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(120)
        shutil.rmtree(of_ray, ignore_errors=True)


@pytest.mark.slow
def test_an_optimization_against_two_replicas_on_ray(served: Path, tmp_path: Path) -> None:
    sizes = ("train_size=4", "validation_size=0", "test_size=4", "iterations=1", "system_steps=1", "proposal_attempts=1")
    command = [*commands()[1].split(), "--task", "app_reviews", "--store", str(tmp_path / "ray.db")]
    command += [part for size in sizes for part in ("--set", size)]
    environment = {**os.environ, "PATH": f"{served}:{os.environ['PATH']}"}
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    report = metaspo.open_report(store=tmp_path / "ray.db")
    assert report.run.status == "done" and report.usage.total_calls > 0
