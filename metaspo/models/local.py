"""A gguf model served by llama.cpp (xllamacpp) inside this process, started and stopped by us."""

import asyncio
import os
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise, product
from pathlib import Path
from typing import Any

from ..domain.calls import Reply, Request
from ..domain.errors import MissingExtraError, ModelError
from ..domain.messages import image_urls, text_of
from ..domain.paths import path_of
from .faults import Fault
from .openai_compatible import OpenAICompatible
from .smollm2 import file_sha256, smollm2
from .spec import ModelSpec

MOST = 4
"""Servers at most, each with one request at a time; more do not help a small model on a few cores, and
a request beyond them would only wait in a server's queue with its timeout running."""

CONTEXT = 2048
"""Tokens that a request and its reply may take together where the spec says nothing."""

SEED = 0
"""The seed of a local model whose spec names none, so that runs repeat."""

OTHER = Request((("user", "."),), 1, 0.0)
"""A request that takes the place of the one before it in a server's cache."""

GGUF_MAGIC = b"GGUF"


class LocalModel:
    """A gguf file behind llama.cpp's own HTTP servers on free loopback ports, one request at a time each.

    A reply depends on its request alone: not on the server, the cache, or what else is asked. In a server
    that works on several requests at once it would, by rounding. The servers live in this process: they
    are gone when the process is, however it ends.
    """

    def __init__(self, spec: ModelSpec, servers: Sequence[Any], digest: str) -> None:
        """Talk to started servers; see `start`."""
        settings = spec.model_copy(
            update={"constrain": spec.constrain or "grammar", "seed": SEED if spec.seed is None else spec.seed}
        )
        self._held = settings.constrain == "grammar"
        identity = {"gguf": digest, "context": spec.context or CONTEXT}
        self._servers = [_Server(one, OpenAICompatible(settings, base_url=url(one), identity=identity)) for one in servers]
        self.base_url: str = url(servers[0])
        self.identity = self._servers[0].client.identity

    @classmethod
    async def start(cls, spec: ModelSpec) -> "LocalModel":
        """Find the file, load it and start serving; raises ModelError or MissingExtraError."""
        return cls(spec, *await asyncio.to_thread(_serve, spec))

    async def ready(self) -> None:
        """The servers were started with the object."""

    def best(self, waiting: Sequence[Request]) -> int:
        """The request that an idle server knows the beginning of, more than others do; it is promised to that server."""
        idle = [at for at, one in enumerate(self._servers) if not one.open]
        # What was promised to a request that never came, as one of a run that was stopped, is free when nothing else is.
        free = [at for at in idle if self._servers[at].promised is None] or idle or range(len(self._servers))
        texts = [_text(request) for request in waiting]
        alike = [[_shared(text, one.begun) for one in self._servers] for text in texts]

        def saved(choice: tuple[int, int]) -> float:
            at, server = choice
            return alike[at][server] - max(alike[at][:server] + alike[at][server + 1 :], default=0) / 2

        at, server = max(product(range(len(waiting)), free), key=saved)
        self._servers[server].promised = texts[at]
        return at

    async def complete(self, request: Request) -> Reply:
        """Send one request; see `Backend`."""
        if image_urls(request.messages):
            raise Fault("mistake", "it sees no images; take a model at an endpoint, or one in vLLM, that does")
        text = _text(request)
        # The one promised to it, or an idle one; of several the one whose cache holds the longest part of its beginning.
        server = min(self._servers, key=lambda one: (one.open, one.promised not in (text, None), -_shared(one.begun, text)))
        server.open, server.promised = server.open + 1, None
        try:
            async with server.turn:
                if server.last == text:
                    # The last token of a cached prompt, computed alone, is rounded in another way: it is driven out first.
                    await server.client.complete(OTHER)
                server.last = text
                # Every token is a pass of the model; what the grammar leaves no choice about needs none.
                cut = replace(request, max_tokens=enough(request)) if self._held else request
                reply = completed(cut, await server.client.complete(cut))
                if reply.finish == "length" and cut.max_tokens < request.max_tokens:
                    await server.client.complete(OTHER)
                    reply = await server.client.complete(request)
                return reply
        finally:
            server.open -= 1

    async def close(self) -> None:
        """Stop the servers."""
        await asyncio.gather(*(server.client.close() for server in self._servers))
        self._servers = []


@dataclass(eq=False)
class _Server:
    handle: Any
    client: OpenAICompatible
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    open: int = 0
    last: str = ""
    promised: str | None = None

    @property
    def begun(self) -> str:
        """The text that its cache holds the beginning of, now or soon."""
        return self.last if self.promised is None else self.promised


def enough(request: Request) -> int:
    """The tokens that tell which of a closed set a reply is going to be; `max_tokens` where that takes all of them."""
    choices = sorted(request.choices)
    # A token has a character or more, where no character has more than one; and max_tokens must cut no choice off.
    if not choices or not all(map(str.isascii, choices)) or request.max_tokens < max(map(len, choices)):
        return request.max_tokens
    # In order, those that begin most alike are neighbours.
    alike = max((_shared(one, other) for one, other in pairwise(choices)), default=0)
    return min(request.max_tokens, alike + 1)


def completed(request: Request, reply: Reply) -> Reply:
    """A reply that was cut off where it was decided, with the rest of the only choice that begins like it."""
    meant = [choice for choice in set(request.choices) if choice.startswith(reply.text)]
    return replace(reply, text=meant[0], finish="stop") if reply.finish == "length" and len(meant) == 1 else reply


def _text(request: Request) -> str:
    return "\x1e".join(f"{role}\x1f{text_of(content)}" for role, content in request.messages)


def _shared(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    return bisect_left(range(min(len(one), len(other))), True, key=lambda at: one[: at + 1] != other[: at + 1])


def url(server: Any) -> str:
    """The address under which a server speaks OpenAI's API."""
    return f"{server.listening_address}/v1"


def in_flight(spec: ModelSpec) -> int:
    """How many requests to a local model are in flight at once: one for each server."""
    return min(MOST, _threads(spec), MOST if spec.concurrency == "auto" else spec.concurrency)


def _threads(spec: ModelSpec) -> int:
    return spec.threads or os.cpu_count() or 1


def _serve(spec: ModelSpec) -> tuple[list[Any], str]:
    try:
        import xllamacpp
    except ImportError:
        raise MissingExtraError(f"the model {spec.label}", "local") from None
    path = smollm2() if spec.name == "smollm2" else path_of(spec.name)
    _check_file(path)
    settings = xllamacpp.CommonParams()
    settings.model.path = str(path)
    settings.n_parallel = 1
    settings.n_ctx = spec.context or CONTEXT
    settings.port = 0
    settings.hostnames = ["127.0.0.1"]
    settings.cpuparams.n_threads = max(1, _threads(spec) // in_flight(spec))
    settings.cache_prompt = True
    # What a cache holds must not show in a reply. Flash attention rounds by how many tokens are new, and so do
    # repacked weights, which every server would hold a copy of besides. A prompt kept in memory beside the
    # slot may be the whole of a later one, whose last token alone is rounded in yet another way.
    settings.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    settings.no_extra_bufts = True
    settings.cache_ram_mib = 0
    settings.verbosity = -1
    try:
        return [xllamacpp.Server(settings) for _ in range(in_flight(spec))], file_sha256(path)
    except Exception as error:
        raise ModelError(f"{spec.label}: llama.cpp could not serve {path.name}: {error}") from error


def _check_file(path: Path) -> None:
    if not path.is_file():
        raise ModelError(f"local:{path}: no such file; write local:smollm2 for the built-in model or the path of a .gguf file")
    with path.open("rb") as file:
        if file.read(4) != GGUF_MAGIC:
            raise ModelError(f"local:{path}: not a gguf file")
