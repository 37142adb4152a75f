"""A real PostgreSQL on loopback, started from the distribution's package."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

psycopg = pytest.importorskip("psycopg", reason="needs the extra postgres")


def _program(name: str) -> str:
    found = [shutil.which(name), *map(str, sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True))]
    if not any(found):
        pytest.skip("needs PostgreSQL's server programs: apt-get install postgresql, or your system's package")
    return next(path for path in found if path)


@contextmanager
def database_server() -> Iterator[str]:
    """The address of a server with an empty database, as an ordinary user where the tests are run by root."""
    folder, initdb, server = Path(tempfile.mkdtemp(prefix="pg")), _program("initdb"), _program("postgres")
    who: dict[str, Any] = {"user": "nobody", "cwd": folder} if os.getuid() == 0 else {}
    if who:
        shutil.chown(folder, "nobody")
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    command = [initdb, "--pgdata", str(folder / "data"), "--username", "metaspo", "--auth", "trust", "--no-sync", "-E", "UTF8"]
    subprocess.run(command, check=True, **quiet, **who)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [server, "-D", str(folder / "data"), "-p", str(port), "-h", "127.0.0.1", "-k", str(folder), "-F"]
    running = subprocess.Popen(command, **quiet, **who)
    address = f"postgresql://metaspo:hidden-word@127.0.0.1:{port}/postgres"
    for _ in range(200):
        try:
            psycopg.connect(address).close()
            break
        except psycopg.OperationalError:
            assert running.poll() is None, "PostgreSQL did not start"
            subprocess.run(["sleep", "0.05"], check=True)
    try:
        yield address
    finally:
        # Without waiting for clients that are still connected.
        running.send_signal(signal.SIGINT)
        running.wait()
        shutil.rmtree(folder)
