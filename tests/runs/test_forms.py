"""What the server tells of our graphs as JSON schemas: forms that a newcomer fills in, and results as they are described."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import UnprocessableEntityError

from metaspo import Problem
from metaspo.graph.adapt import Adaptation
from metaspo.runs.graphs import SERVED
from metaspo.store import runs
from metaspo.store.database import Store
from metaspo.workspace.context import Context
from metaspo.workspace.generalization import Generalization
from metaspo.workspace.sizes import Sizes, TransferSizes

from ..helpers.agent_server import ROOT, AgentServer

DICE = {"base": "scripted:dice", "optimizer": "scripted:dice"}
FORMS: dict[str, Any] = {"metaspo": Problem, "adapt": Adaptation, "generalize": Generalization}
SIZES: dict[str, Any] = {
    "metaspo": {"iterations": 0, "test_size": 2},
    "adapt": {"iterations": 1, "train_size": 2, "test_size": 2},
    "generalize": {"prompts": 1, "pairs": 2, "train_size": 2, "test_size": 2},
}

Schema = dict[str, Any]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentServer]:
    folder = tmp_path_factory.mktemp("forms")
    (folder / "langgraph.json").write_text(json.dumps(SERVED | {"dependencies": [str(ROOT)]}))
    server = AgentServer(folder, "langgraph", "dev", "--no-reload", "--n-jobs-per-worker", "4")
    yield server
    server.stop()


async def schemas_of(client: LangGraphClient, graph: str) -> dict[str, Schema]:
    [assistant] = [row for row in await client.assistants.search(graph_id=graph) if row["name"] == graph]
    found: Any = await client.assistants.get_schemas(assistant["assistant_id"])
    return {name: schema for name, schema in found.items() if name.endswith("_schema")}


def objects_in(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Every object of a schema that has keys of its own, with its name."""
    yield "", schema
    yield from schema.get("$defs", {}).items()


def parts_of(schema: Any) -> Iterator[Schema]:
    """A schema and all that are in it; examples and defaults are none."""
    if isinstance(schema, dict):
        yield schema
        for name, part in schema.items():
            if name not in ("examples", "default", "enum"):
                yield from parts_of(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from parts_of(part)


@pytest.mark.long
@pytest.mark.parametrize("graph", FORMS)
async def test_every_key_of_every_schema_says_what_it_takes(graph: str, client: LangGraphClient) -> None:
    schemas = await schemas_of(client, graph)
    assert set(schemas) == {f"{name}_schema" for name in ("input", "output", "state", "config", "context")}
    for kind, schema in schemas.items():
        Draft202012Validator.check_schema(schema)
        for name, block in objects_in(schema):
            assert block["properties"], (kind, name)
            for key, field in block["properties"].items():
                place = (graph, kind, name, key)
                assert {"type", "anyOf", "$ref"} & set(field), place
                assert len(field["description"]) > 9, place
                # A state's channels have no defaults; LangGraph writes null for each.
                if "default" in field and (kind, name) != ("state_schema", ""):
                    Draft202012Validator({**field, "$defs": schema.get("$defs", {})}).validate(field["default"])
        for part in parts_of(schema):
            if "$ref" in part:
                assert part["$ref"].removeprefix("#/$defs/") in schema["$defs"]
            # Rows, JSON schemas and the like have keys of their own.
            assert part.get("type") != "object" or part.get("properties") or part["additionalProperties"]


@pytest.mark.parametrize("graph", FORMS)
async def test_a_form_that_is_sent_as_it_opens_is_the_demo(graph: str, client: LangGraphClient) -> None:
    schemas = await schemas_of(client, graph)
    for kind, model in (("input_schema", FORMS[graph]), ("context_schema", Context)):
        fields = schemas[kind]["properties"]
        opened = {key: field["default"] for key, field in fields.items() if key != "store"}
        Draft202012Validator(schemas[kind]).validate(opened)
        assert model.model_validate(opened) == model()


async def test_what_a_newcomer_fills_in_comes_first(client: LangGraphClient) -> None:
    schemas = {graph: await schemas_of(client, graph) for graph in FORMS}
    search = [*schemas["metaspo"]["input_schema"]["properties"]]
    assert search[:5] == ["tasks", "system_prompt", "method", "preset", "sizes"]
    assert search[-4:] == ["optimizer_prompts", "start", "made_by", "aside"]
    assert [*schemas["generalize"]["input_schema"]["properties"]][:3] == ["tasks", "system_prompt", "against"]
    assert [*schemas["metaspo"]["context_schema"]["properties"]][:3] == ["base", "optimizer", "budget"]
    # Marks by which Studio edits a prompt at the nodes that use it.
    prompt = schemas["metaspo"]["input_schema"]["properties"]["system_prompt"]
    assert prompt["langgraph_type"] == "prompt" and prompt["langgraph_nodes"] == ["evaluate", "propose_system_prompts"]
    # Keys of a context that its schema lacks are dropped unseen: one that names another store is refused.
    assert [*schemas["metaspo"]["context_schema"]["properties"]][-1] == "store"


async def test_closed_choices_are_lists(client: LangGraphClient) -> None:
    schemas = {graph: await schemas_of(client, graph) for graph in FORMS}
    inputs = {graph: found["input_schema"]["properties"] for graph, found in schemas.items()}
    methods = inputs["metaspo"]["method"]["enum"]
    assert {"common_first", "metaspo", "outer_only", "fixed"} <= set(methods) and "file:PATH" not in methods
    assert "adapt" in inputs["adapt"]["method"]["enum"] and not {"metaspo", "fixed"} & set(inputs["adapt"]["method"]["enum"])
    assert inputs["generalize"]["method"]["enum"] == ["generalize"]
    assert inputs["metaspo"]["preset"]["anyOf"][0]["enum"] == ["paper", "quick", "batch"]
    assert inputs["metaspo"]["judging"]["anyOf"][0]["enum"] == ["exhaustive", "staged"]
    context = schemas["metaspo"]["context_schema"]["properties"]
    assert context["approve"]["enum"] == ["none", "user", "system", "both"]
    assert context["bases"]["enum"] == ["mean", "worst"] and context["exit"]["enum"] == ["at the end", "when waiting"]


@pytest.mark.parametrize("graph", FORMS)
async def test_the_state_shows_what_goes_in_and_what_comes_out(graph: str, client: LangGraphClient) -> None:
    schemas = await schemas_of(client, graph)
    shown, given, found = (set(schemas[f"{kind}_schema"]["properties"]) for kind in ("state", "input", "output"))
    assert shown == given | found
    assert not shown & {
        "analyses",
        "candidates",
        "scores",
        "judged",
        "review",
        "stage",
        "began",
        "ended",
        "beam",
        "split",
        "pairs",
    }


@pytest.mark.long
@pytest.mark.parametrize("graph", FORMS)
async def test_the_example_of_a_task_runs_and_the_result_is_as_described(graph: str, client: LangGraphClient) -> None:
    schemas = await schemas_of(client, graph)
    form = schemas["input_schema"]
    [task] = next(example for example in form["properties"]["tasks"]["examples"] if isinstance(example[0], dict))
    assert task in form["$defs"]["TaskSpec"]["examples"]
    given = {"tasks": [task], "preset": "quick", "sizes": SIZES[graph]}
    Draft202012Validator(form).validate(given)
    found: Any = await client.runs.wait(None, graph, input=given, context=DICE)
    Draft202012Validator(schemas["output_schema"]).validate(found)
    assert set(found) == set(schemas["output_schema"]["properties"])
    own = found["results"]["tasks"]["tickets"]["user_prompts"] if graph == "generalize" else found["kept"]["tickets"]
    assert task["name"] == "tickets" and "{question}" in json.dumps(own)


@pytest.mark.long
async def test_sizes_are_one_block_and_still_keys_of_their_own(client: LangGraphClient) -> None:
    for graph, block in (("metaspo", Sizes), ("generalize", TransferSizes)):
        fields = (await schemas_of(client, graph))["input_schema"]["properties"]
        assert not set(fields) & set(block.model_fields)
    threads = [(await client.threads.create())["thread_id"] for _ in range(2)]
    sizes = {"iterations": 1, "train_size": 6, "test_size": 0, "system_candidates": 1}
    common = {"tasks": ["app_reviews"], "preset": "quick", "method": "outer_only"}
    first: Any = await client.runs.wait(threads[0], "metaspo", input={**common, "sizes": sizes}, context=DICE)
    second: Any = await client.runs.wait(threads[1], "metaspo", input={**common, **sizes}, context=DICE)
    assert {**first, "run": ""} == {**second, "run": ""} and len(first["rounds"]) == 3
    said: Any = await client.runs.wait(None, "metaspo", input={"sizes": {"iteration": 1}}, context=DICE, raise_error=False)
    assert said["__error__"]["message"].startswith("unknown key 'sizes.iteration'; known keys: iterations, ")


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"context": {"base": "nonsense:x"}}, "model 'nonsense:x': provider: there is no provider of this name"),
    ({"context": {"bass": "scripted:dice"}}, "unknown key 'bass'; known keys: base, "),
    ({"context": {"approve": "maybe"}}, "approve: 'maybe' is none of 'none', 'user', 'system', 'both'"),
    ({"context": {"budget": {"calls": -1}}}, "budget.calls: -1 is too small: write 0 or more"),
    ({"context": {"store": "elsewhere.db"}}, "leave 'store' out of the context"),
    ({"config": {"configurable": {"base": "nonsense:x"}}}, "model 'nonsense:x': provider"),
]


async def test_an_assistant_that_could_not_work_is_refused_when_it_is_made(client: LangGraphClient) -> None:
    made = await client.assistants.create("metaspo", context=DICE, name="fine")
    for wrong, says in WRONG:
        for graph in FORMS:
            with pytest.raises(UnprocessableEntityError) as refused:
                await client.assistants.create(graph, **wrong)
            assert says in str(refused.value) and "pydantic" not in str(refused.value)
        with pytest.raises(UnprocessableEntityError) as refused:
            await client.assistants.update(made["assistant_id"], **wrong)
        assert says in str(refused.value)
    assert len(await client.assistants.search(limit=100)) == len(FORMS) + 1
    kept = await client.assistants.update(made["assistant_id"], context={**DICE, "budget": {"calls": 9}})
    assert kept["context"]["budget"] == {"calls": 9}


async def test_a_run_with_a_key_that_is_none_is_refused(client: LangGraphClient) -> None:
    thread = (await client.threads.create())["thread_id"]
    [assistant] = [row for row in await client.assistants.search(graph_id="metaspo") if row["name"] == "metaspo"]
    run = {"assistant_id": "metaspo", "input": {}, "context": {"bse": "scripted:dice"}}
    for path, given in (
        ("/runs", run),
        ("/runs/wait", run | {"assistant_id": assistant["assistant_id"]}),
        ("/runs/batch", [run | {"context": DICE}, run]),
        (f"/threads/{thread}/runs/stream", run | {"assistant_id": "adapt"}),
    ):
        with pytest.raises(UnprocessableEntityError) as refused:
            await client.http.post(path, json=given)  # type: ignore[arg-type]
        assert "context: unknown key 'bse'; known keys: base, " in str(refused.value)
    with pytest.raises(UnprocessableEntityError, match="input: unknown key 'task'; known keys: tasks, "):
        await client.http.post(f"/threads/{thread}/runs", json=run | {"context": DICE, "input": {"task": ["app_reviews"]}})
    assert not await client.runs.list(thread)


@pytest.mark.long
async def test_a_size_that_is_edited_in_the_block_begins_a_fork_with_the_others_as_they_were(
    client: LangGraphClient, server: AgentServer
) -> None:
    thread = (await client.threads.create())["thread_id"]
    sizes = {"iterations": 0, "train_size": 6, "test_size": 2}
    given = {"tasks": ["app_reviews"], "preset": "quick", "method": "outer_only", "sizes": sizes}
    await client.runs.wait(thread, "metaspo", input=given, context=DICE)
    await client.threads.update_state(thread, {"sizes": {"iterations": 1}})
    found: Any = await client.runs.wait(thread, "metaspo", input=None)
    assert found["run"] != thread and [row["level"] for row in found["rounds"]] != []
    with closing(Store(server.store)) as store:
        problem = runs.find(store.db, found["run"]).config["problem"]
    assert (problem["iterations"], problem["train_size"], problem["test_size"]) == (1, 6, 2)
