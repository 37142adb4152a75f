"""The backends of all providers but `scripted`: whoever imports this file loads every client of ours."""

import asyncio
from importlib import import_module

from .addresses import check_key
from .backend import Backend
from .langchain import live
from .local import LocalModel
from .openai_compatible import OpenAICompatible
from .program import load
from .provider_names import is_langchains
from .spec import ModelSpec
from .vllm.served import open_vllm


async def open_backend(spec: ModelSpec) -> Backend:
    """What answers the requests of a spec; raises ModelError where it cannot be made."""
    if spec.provider == "local":
        return await LocalModel.start(spec)
    if spec.provider == "object":
        return live(spec)
    if spec.provider == "program":
        return await asyncio.to_thread(load, spec)
    if is_langchains(spec.provider):
        # LangChain's own list and the packages of providers take a while to load, which no other model needs.
        providers = await asyncio.to_thread(import_module, ".providers", __package__)
        opened: Backend = await asyncio.to_thread(providers.ProviderModel, spec)
        return opened
    check_key(spec)
    if spec.provider == "vllm":
        return open_vllm(spec)
    return await asyncio.to_thread(OpenAICompatible, spec)
