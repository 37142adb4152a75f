"""A gguf model served by llama.cpp (xllamacpp) inside this process, started and stopped by us."""

import asyncio
import os
from pathlib import Path
from typing import Any

from ..domain.calls import Reply, Request
from ..domain.errors import MissingExtraError, ModelError
from .openai_compatible import OpenAICompatible
from .smollm2 import file_sha256, smollm2
from .spec import ModelSpec

SLOTS = 4
"""Requests that the server works on at once; more do not help a small model on a few cores, and would
only wait in the server's queue with their timeout running."""

CONTEXT = 2048
"""Tokens that a request and its reply may take together where the spec says nothing."""

SEED = 0
"""The seed of a local model whose spec names none, so that runs repeat."""

GGUF_MAGIC = b"GGUF"


class LocalModel:
    """A gguf file behind llama.cpp's own HTTP server on a free loopback port.

    The server lives in this process: it is gone when the process is, however it ends.
    """

    def __init__(self, spec: ModelSpec, server: Any, digest: str) -> None:
        """Talk to a started server; see `start`."""
        self._server = server
        self.base_url: str = server.listening_address + "/v1"
        settings = spec.model_copy(
            update={"constrain": spec.constrain or "grammar", "seed": SEED if spec.seed is None else spec.seed}
        )
        identity = {"gguf": digest, "context": spec.context or CONTEXT}
        self._client = OpenAICompatible(settings, base_url=self.base_url, identity=identity)
        self.identity = self._client.identity

    @classmethod
    async def start(cls, spec: ModelSpec) -> "LocalModel":
        """Find the file, load it and start serving; raises ModelError or MissingExtraError."""
        return cls(spec, *await asyncio.to_thread(_serve, spec))

    async def ready(self) -> None:
        """The server was started with the object."""

    async def complete(self, request: Request) -> Reply:
        """Send one request; see `Backend`."""
        return await self._client.complete(request)

    async def close(self) -> None:
        """Stop the server."""
        await self._client.close()
        self._server = None


def in_flight(spec: ModelSpec) -> int:
    """How many requests to a local model are in flight at once."""
    return SLOTS if spec.concurrency == "auto" else min(SLOTS, spec.concurrency)


def _serve(spec: ModelSpec) -> tuple[Any, str]:
    try:
        import xllamacpp
    except ImportError:
        raise MissingExtraError(f"the model {spec.label}", "local") from None
    path = smollm2() if spec.name == "smollm2" else Path(spec.name).expanduser()
    _check_file(path)
    settings = xllamacpp.CommonParams()
    settings.model.path = str(path)
    settings.n_parallel = in_flight(spec)
    settings.n_ctx = (spec.context or CONTEXT) * settings.n_parallel
    settings.port = 0
    settings.hostnames = ["127.0.0.1"]
    settings.cpuparams.n_threads = spec.threads or os.cpu_count() or 1
    settings.cache_prompt = True
    settings.cache_ram_mib = 512
    settings.verbosity = -1
    try:
        return xllamacpp.Server(settings), file_sha256(path)
    except Exception as error:
        raise ModelError(f"{spec.label}: llama.cpp could not serve {path.name}: {error}") from error


def _check_file(path: Path) -> None:
    if not path.is_file():
        raise ModelError(f"local:{path}: no such file; write local:smollm2 for the built-in model or the path of a .gguf file")
    with path.open("rb") as file:
        if file.read(4) != GGUF_MAGIC:
            raise ModelError(f"local:{path}: not a gguf file")
