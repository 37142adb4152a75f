"""vLLM inside this process: requests that wait together are answered as one batch."""

import asyncio
import gc
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ...domain.calls import Reply, Request
from ...domain.errors import MissingExtraError, ModelError, UserError
from ...domain.redaction import redact
from ...store.batcher import Batcher
from ..faults import Fault
from ..sent import draw_seed, messages_sent, structured
from ..spec import ModelSpec
from .server import engine_flags
from .state import advice

GATHER = 0.02
"""Seconds that a batch waits for the requests that come with its first one."""


class VllmBatch:
    """A model in this process, without a server; good where a whole superstep's requests wait at once.

    The engine works in one thread, a batch at a time; what arrives meanwhile is the next batch. How
    large one can be is the spec's concurrency.
    """

    def __init__(self, spec: ModelSpec, identity: dict[str, Any]) -> None:
        """Prepare; the model is loaded when it is first needed."""
        self._spec = spec
        self.identity = identity
        self._thread = ThreadPoolExecutor(1, "vllm")
        self._engine: Any = None
        self._watch: subprocess.Popen[bytes] | None = None
        self._refusal: UserError | None = None
        self._loading = asyncio.Lock()
        self._batches: Batcher[Request, Reply] = Batcher(
            lambda requests: self._in_thread(self._chat, requests), gather=GATHER, skip_cancelled=True
        )

    async def ready(self) -> None:
        """Load the model; raises MissingExtraError without vLLM, ModelError when it cannot be loaded."""
        async with self._loading:
            if self._refusal:
                raise self._refusal
            if self._engine is None:
                try:
                    await self._in_thread(self._load)
                except UserError as error:
                    self._refusal = error
                    raise

    async def complete(self, request: Request) -> Reply:
        """Wait for the next batch and its end; see `Backend`."""
        await self.ready()
        return await self._batches.submit(request)

    async def close(self) -> None:
        """Finish the batch that is being answered and let the model go."""
        async with self._loading:
            await self._batches.join()
            await self._in_thread(self._unload)
            self._thread.shutdown(wait=False)

    async def _in_thread(self, work: Any, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    def _load(self) -> None:
        watch = [sys.executable, "-P", str(Path(__file__).with_name("orphans.py"))]
        self._watch = subprocess.Popen(watch, start_new_session=True)
        self._engine = _engine(self._spec)

    def _unload(self) -> None:
        if self._engine is not None:
            self._engine.llm_engine.engine_core.shutdown()
            self._engine = None
            gc.collect()
        if self._watch is not None:
            self._watch.terminate()
            self._watch.wait()

    def _chat(self, requests: list[Request]) -> list[Reply | Fault]:
        messages = [messages_sent(self._spec, request) for request in requests]
        try:
            outputs = self._engine.chat(messages, [_sampling(self._spec, request) for request in requests], use_tqdm=False)
        except Exception as error:
            fault = _fault(error)
            if fault.kind == "gone" or len(requests) == 1:
                return [fault] * len(requests)
            # One request that does not fit fails a whole batch: the others are asked again without it.
            return [self._chat([request])[0] for request in requests]
        return [_reply(output) for output in outputs]


def _engine(spec: ModelSpec) -> Any:
    try:
        from vllm import LLM
        from vllm.engine.arg_utils import EngineArgs
        from vllm.utils.argparse_utils import FlexibleArgumentParser
    except ImportError as error:
        if error.name == "vllm":
            raise MissingExtraError(f"the model {spec.label}", "vllm") from None
        raise ModelError(f"{spec.label}: vLLM cannot be imported: {error}. {advice(str(error))}".rstrip()) from error
    try:
        parser = EngineArgs.add_cli_args(FlexibleArgumentParser(exit_on_error=False))
        return LLM.from_engine_args(EngineArgs.from_cli_args(parser.parse_args(engine_flags(spec))))
    except SystemExit:
        raise ModelError(f"{spec.label}: vLLM does not know these flags: {spec.flags}") from None
    except Exception as error:
        said = redact(str(error)) or type(error).__name__
        raise ModelError(f"{spec.label}: vLLM could not load it: {said}. {advice(said)}".rstrip()) from error


def _sampling(spec: ModelSpec, request: Request) -> Any:
    from vllm import SamplingParams
    from vllm.sampling_params import StructuredOutputsParams

    seed = None if spec.seed is None else draw_seed(spec.seed, request.sample)
    rule = None
    if request.constraint is not None and spec.constrain != "none":
        rule = StructuredOutputsParams(**structured(request.constraint))
    drawn = {"temperature": request.temperature, "top_p": spec.top_p}
    given = {name: value for name, value in drawn.items() if value is not None}
    return SamplingParams(max_tokens=request.max_tokens, seed=seed, structured_outputs=rule, **given)


def _reply(output: Any) -> Reply:
    said = output.outputs[0]
    return Reply(said.text, said.finish_reason or "stop", len(output.prompt_token_ids or ()), len(said.token_ids))


def _fault(error: Exception) -> Fault:
    said = redact(str(error)) or type(error).__name__
    if type(error).__name__ == "EngineDeadError":
        return Fault("gone", f"the vLLM engine in this process has ended: {said}")
    return Fault("context_length" if "context length" in said else "refused", said)
