"""A cluster that asks for a token, as 'ray start --head' makes it where the machine has one."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from metaspo.compat import RAY_MODE

from ...helpers.ray_nodes import ADDRESS

CONNECT = """
from metaspo.domain.errors import ConfigError
from metaspo.studies.cluster.connecting import connected
try:
    with connected() as ray:
        print("CPUs:", ray.cluster_resources()["CPU"])
except ConfigError as error:
    print(error)
"""


def at_home(folder: Path, **more: str) -> dict[str, str]:
    """The environment of somebody whose home is that folder."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("RAY_AUTH")}
    return {**ours, "HOME": str(folder), "RAY_USAGE_STATS_ENABLED": "0", **more}


@pytest.fixture
def head(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "home/.ray").mkdir(parents=True)
    (tmp_path / "home/.ray/auth_token").write_text("0" * 64)
    words = [
        sys.executable,
        "-c",
        "from ray.scripts.scripts import main; main()",
        "start",
        "--head",
        "--port=0",
        "--num-cpus=3",
    ]
    short = tempfile.mkdtemp(prefix="r")  # Paths of sockets are short.
    words += ["--include-dashboard=false", f"--temp-dir={short}", "--block"]
    said = tmp_path / "said"
    with said.open("w") as file:
        process = subprocess.Popen(
            words, env=at_home(tmp_path / "home"), stdout=file, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        until = time.monotonic() + 120
        while "ray start --address='" not in said.read_text() and process.poll() is None and time.monotonic() < until:
            time.sleep(0.2)
        yield said.read_text().partition("ray start --address='")[2].partition("'")[0]
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=60)
        shutil.rmtree(short, ignore_errors=True)


@pytest.mark.slow
def test_a_driver_shows_the_token_that_its_machine_has(head: str, tmp_path: Path) -> None:
    for home, says in (("home", "CPUs: 3.0"), ("none", f"to one that asks for a token, {RAY_MODE}=token and RAY_AUTH_TOKEN")):
        (tmp_path / home).mkdir(exist_ok=True)
        environment = at_home(tmp_path / home, **{ADDRESS: head})
        found = subprocess.run([sys.executable, "-c", CONNECT], env=environment, capture_output=True, text=True, check=True)
        assert says in found.stdout, found
