"""`metaspo serve`: a vLLM server in the foreground, for the runs that follow."""

import asyncio
import shlex
import time
from typing import TYPE_CHECKING, Any

import click

from ..domain.errors import EndpointUnavailable
from .screen import say

if TYPE_CHECKING:
    from ..models.spec import ModelSpec
    from ..models.vllm.server import SharedServer


@click.command("serve", context_settings={"ignore_unknown_options": True})
@click.argument("model")
@click.option("--port", type=click.IntRange(1, 65535), help="Where to listen; a free port if none.")
@click.option("--context", type=int, help="Tokens that a request and its reply may take together; 3000 for the paper's models.")
@click.option("--tensor-parallel", type=int, help="GPUs that share one copy of the model.")
@click.option("--data-parallel", type=int, help="Copies of the model behind the one server.")
@click.option("--python", help="The Python that has vLLM; this one if none.")
@click.option("--startup", type=float, help="Seconds that the start may take; 900 if none.")
@click.argument("flags", nargs=-1, type=click.UNPROCESSED)
def serve_command(model: str, port: int | None, flags: tuple[str, ...], **settings: Any) -> None:
    """Start vLLM's server for MODEL and keep it until Ctrl-C; runs with vllm:MODEL use it.

    MODEL is a Hugging Face name, a folder, or llama-3.2-3b, llama-3.1-8b, qwen2.5-7b. Any other FLAGS
    are vLLM's own, such as --dtype bfloat16.
    """
    from ..models.spec import ModelSpec
    from ..models.vllm.served import resolved

    given = {key: value for key, value in settings.items() if value is not None}
    name = model.removeprefix("vllm:")
    spec = ModelSpec.parse({"provider": "vllm", "name": name, "flags": shlex.join(flags) or None, **given})
    asyncio.run(_serve(resolved(spec), port, name))


async def _serve(spec: "ModelSpec", port: int | None, name: str) -> None:
    from ..models.vllm.server import shared_server

    say(f"starting vLLM for {spec.name}")
    started = time.monotonic()
    server = await shared_server(spec, port)
    how = f"ready after {time.monotonic() - started:.0f} s" if server.started_here else "was running already"
    say(f"{how}: {server.url} (log: {server.log})")
    say(f"use it with: metaspo optimize --base vllm:{name}")
    try:
        await _until_it_ends(server)
    finally:
        stopped = await server.release()
        say("stopped" if stopped else "it stops with the runs that still use it")


async def _until_it_ends(server: "SharedServer") -> None:
    while True:
        if not await server.is_alive():
            raise EndpointUnavailable(f"vLLM's server has ended. {await server.log_tail()}")
        await asyncio.sleep(1)
