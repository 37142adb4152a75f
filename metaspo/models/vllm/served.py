"""Models that vLLM runs: at servers that somebody started, at one that we start, or in this process.

`vllm:MODEL,base_url=URL` and `base_url=URL+URL` (replicas), `vllm:MODEL` (or `serve=auto`),
`vllm:MODEL,serve=batch`. The paper's base models have short names.
"""

import asyncio
from typing import Any

from ...domain.calls import Reply, Request
from ...domain.errors import ModelError, UserError
from ..addresses import key_of
from ..backend import Backend
from ..faults import Fault
from ..openai_compatible import OpenAICompatible
from ..replicas import Replicas
from ..sent import addressed
from ..spec import ModelSpec
from .batch import VllmBatch
from .server import SharedServer, served_models, shared_server

PRESETS = {
    "llama-3.2-3b": "meta-llama/Llama-3.2-3B-Instruct",
    "llama-3.1-8b": "meta-llama/Llama-3.1-8B-Instruct",
    "qwen2.5-7b": "Qwen/Qwen2.5-7B-Instruct",
}
"""Short names of the paper's base models."""

PAPER_CONTEXT = 3000
"""Tokens that the paper gives a request and its reply."""


def open_vllm(spec: ModelSpec) -> Backend:
    """The backend of a `vllm:` spec; nothing is started or asked yet."""
    spec = resolved(spec)
    if spec.serve == "batch":
        return VllmBatch(spec, identity_of(spec))
    return VllmServed(spec)


def resolved(spec: ModelSpec) -> ModelSpec:
    """The spec with a short name's full one and context, and with vLLM's own way to constrain replies."""
    name = PRESETS.get(spec.name.lower(), spec.name)
    context = spec.context or (PAPER_CONTEXT if name in PRESETS.values() else None)
    return spec.model_copy(
        update={"name": name, "context": context, "constrain": spec.constrain or "structured_outputs"},
    )


def identity_of(spec: ModelSpec) -> dict[str, Any]:
    """What makes replies differ: the model and its settings, not where or on how many GPUs it runs."""
    identity: dict[str, Any] = {"vllm": spec.name}
    if spec.constrain != "none":
        identity["constrain"] = spec.constrain
    for name in ("context", "flags", "seed"):
        if getattr(spec, name) is not None:
            identity[name] = getattr(spec, name)
    return identity | spec.request_identity()


class VllmServed:
    """A model behind one or several vLLM servers; without a base_url the server is ours."""

    def __init__(self, spec: ModelSpec) -> None:
        """Prepare; see `ready` for what is started when."""
        self._spec = spec
        self.identity = identity_of(spec)
        self._own: SharedServer | None = None
        self._endpoint: OpenAICompatible | Replicas | None = None
        self._starting = asyncio.Lock()
        self._refusal: UserError | None = None

    async def ready(self) -> None:
        """Start the server or find the one that runs, and check that it serves this model."""
        async with self._starting:
            if self._refusal:
                raise self._refusal
            if self._endpoint is None:
                try:
                    self._endpoint = await self._connected()
                except UserError as error:
                    # A start that failed is not tried again for every request that waits.
                    self._refusal = error
                    raise

    async def complete(self, request: Request) -> Reply:
        """Send one request; see `Backend`."""
        if self._endpoint is None:
            await self.ready()
        assert self._endpoint is not None
        try:
            return await self._endpoint.complete(request)
        except Fault as fault:
            if fault.kind == "transient" and self._own and not await self._own.is_alive():
                said = await self._own.log_tail()
                raise Fault("gone", f"the vLLM server that metaspo started has ended. {said}") from None
            raise

    async def close(self) -> None:
        """Close connections and let a server of ours go; it stops when nobody else uses it."""
        async with self._starting:
            if self._endpoint is not None:
                await self._endpoint.close()
            if self._own is not None:
                await self._own.release()

    async def _connected(self) -> OpenAICompatible | Replicas:
        spec = self._spec
        if spec.base_url:
            silent = await self._check_servers()
            clients = {url: await self._client(url) for url in spec.base_urls}
            return next(iter(clients.values())) if len(clients) == 1 else Replicas(clients, spec.timeout, self._is_up, silent)
        self._own = await shared_server(spec)
        return await self._client(self._own.url)

    async def _client(self, url: str) -> OpenAICompatible:
        return await asyncio.to_thread(OpenAICompatible, self._spec, base_url=url, identity=dict(self.identity))

    async def _is_up(self, url: str) -> bool:
        """Whether a server answers and serves this model."""
        return self._spec.name in (await served_models(url, key_of(self._spec), addressed(self._spec)[0]) or ())

    async def _check_servers(self) -> list[str]:
        """That whoever answers serves this model; of several servers some may be down, which it returns."""
        spec, silent = self._spec, []
        found = await asyncio.gather(*(served_models(url, key_of(spec), addressed(spec)[0]) for url in spec.base_urls))
        for url, models in zip(spec.base_urls, found, strict=True):
            if models is None:
                silent.append(url)
            elif spec.name not in models:
                raise ModelError(
                    f"{url} serves {', '.join(models) or 'no model'}, not {spec.name}; name that, or another base_url"
                )
        if len(silent) == len(spec.base_urls):
            raise Fault("transient", f"no vLLM server answers at {', '.join(silent)}", unsent=True)
        return silent
