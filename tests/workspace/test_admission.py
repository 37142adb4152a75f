"""What comes over the wire is data: every field of every schema that a client fills in, and what a server makes of it."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field, ValidationError

from metaspo.domain.errors import ConfigError, ModelError, TaskError, UserError
from metaspo.graph.adapt import Adaptation
from metaspo.models.spec import ModelSpec
from metaspo.tasks.spec import TaskSpec
from metaspo.workspace.admission import GIVEN, TASK, block_in, is_closed
from metaspo.workspace.context import Context
from metaspo.workspace.dealing import open_tasks
from metaspo.workspace.generalization import Generalization
from metaspo.workspace.problem import Problem
from metaspo.workspace.serving import SETTINGS, Serving, serve_by, strict, trusted

from ..helpers.hostile import ROWS, VARIABLE, Traps, places, put, task

KINDS: list[type[BaseModel]] = [Problem, Adaptation, Generalization, Context]
OPEN = {"METASPO_SERVE_TRUST": "1"}


@pytest.fixture(autouse=True)
def serving(tmp_path: Path) -> Iterator[None]:
    """This process serves, strictly, with a task, a model and a function of its own."""
    folder = tmp_path / "tasks"
    folder.mkdir()
    (folder / "mine.yaml").write_text(json.dumps(task(name="mine", examples="rows.json")))
    (folder / "rows.json").write_text(json.dumps(ROWS))
    models = "api=openai:gpt-x,max_tokens=9;throw=scripted:novice,max_tokens=7;tests.helpers.scripts:uneven"
    serve_by({"METASPO_SERVE_TASKS": str(folder), "METASPO_SERVE_MODELS": models})
    yield
    serve_by(OPEN)


@pytest.fixture
def traps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Traps]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(VARIABLE, "secret")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.syspath_prepend(str(tmp_path))
    traps = Traps(tmp_path)
    yield traps
    traps.close()


def leaves(kind: type[BaseModel], rules: Any, at: str = "") -> Iterator[tuple[str, bool]]:
    """Every field of a block and of the blocks in it, and whether it is known what becomes of a client's value."""
    for name, field in kind.model_fields.items():
        path = f"{at}.{field.alias or name}" if at else field.alias or name
        inner = block_in(field.annotation)
        if inner is None or path in rules:
            yield path, path in rules or is_closed(field.annotation)
        else:
            yield from leaves(inner, rules, path)


@pytest.mark.parametrize(("kind", "rules"), [*((kind, GIVEN) for kind in KINDS), (TaskSpec, TASK)])
def test_it_is_known_of_every_field_what_becomes_of_it(kind: type[BaseModel], rules: Any) -> None:
    assert [path for path, known in leaves(kind, rules) if not known] == []


def test_a_field_that_nobody_thought_of_is_refused() -> None:
    class Inner(BaseModel, extra="forbid"):
        place: str = ""
        size: int = 0

    class Next(Problem):
        folder: str = ""
        more: Inner | None = None
        often: int = 0
        names: list[str] = Field(default_factory=list)

    assert Next.model_validate({"often": 3, "more": {"size": 2}}).often == 3
    for given, where in (({"folder": "x"}, "folder"), ({"more": {"place": "x"}}, "more.place"), ({"names": ["x"]}, "names")):
        with pytest.raises(ConfigError, match=f"^{where}: this server does not take it from clients; leave it out"):
            Next.model_validate(given)


def test_only_settings_of_requests_may_be_added_to_a_name() -> None:
    words = {"reasoning_effort": "low", "reasoning": "true", "system_role": "user", "constrain": "none"}
    for name in ModelSpec.model_fields:
        written = f"api,{name}={words.get(name, 1)}"
        if name in SETTINGS:
            assert getattr(Context(base=written).base, name) is not None
        else:
            with pytest.raises(
                ModelError, match=f"base: '{name}' is not a client's to set|'(name|provider)' stands here twice"
            ):
                Context(base=written)


def test_models_by_name() -> None:
    context = Context(base="throw,temperature=0.5", optimizer="scripted:dice", analyst="")
    assert context.base == ModelSpec.parse("scripted:novice,max_tokens=7,temperature=0.5") and context.analyst is None
    assert Context(base=["throw", "scripted:dice", "temperature=1"]).base_models[1].temperature == 1
    assert Context(base=str(context.base)) == Context(base=context.base) and Context() == Context(base="local:smollm2")
    with pytest.raises(
        ModelError, match=r"base: this server asks no model 'openai:gpt-5'; name one of api, throw, local:smollm2, scr"
    ):
        Context(base="openai:gpt-5")
    with pytest.raises(ModelError, match="base: 'extra_body' is not a client's"):
        Context(base="throw,extra_body.x=1")


def test_tasks_by_name_and_as_data(tmp_path: Path) -> None:
    given = Problem(tasks=["mine", "shop_reviews", task()])
    assert given.tasks == [str(tmp_path / "tasks" / "mine.yaml"), "shop_reviews", task()]
    assert Problem(tasks=given.tasks).tasks == given.tasks
    with pytest.raises(TaskError, match=r"tasks\[0\]: this server has no task 'yours'; name one of mine, "):
        Problem(tasks=["yours"])


def test_no_run_begins_for_a_client_with_what_another_one_ended_with() -> None:
    for given in ({"run": "last"}, {"run": "0" * 8, "says": ["x"]}):
        with pytest.raises(
            ConfigError, match=r"from_run: this server begins no run for a client .* write the prompts themselves"
        ):
            Problem(tasks=["mine"], from_run=given)
    assert Problem(tasks=["mine"], from_run=None).from_run is None


def test_a_link_out_of_the_folder_is_no_task(tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text(json.dumps(task()))
    (tmp_path / "tasks" / "linked.yaml").symlink_to(tmp_path / "secret.yaml")
    (tmp_path / "tasks" / "._mine.yaml").write_text(json.dumps(task()))
    for name in ("linked", "._mine", "../secret", "tasks/mine", "mine.yaml", str(tmp_path / "secret.yaml")):
        with pytest.raises(TaskError, match="this server has no task"):
            Problem(tasks=[name])


def test_a_judge_is_one_of_the_servers_models() -> None:
    judged = task(metric={"kind": "judge", "rubric": "Short.", "model": "throw,temperature=0"}, reader={"kind": "text"})
    [admitted] = Problem(tasks=[judged]).tasks
    assert isinstance(admitted, dict) and ModelSpec.parse(admitted["metric"]["model"]).max_tokens == 7
    assert Problem(tasks=[admitted]).tasks == [admitted]
    judged["metric"]["model"] = "server:m,base_url=http://127.0.0.1:1/v1"
    with pytest.raises(ModelError, match=r"tasks\[0\].metric.model: this server asks no model"):
        Problem(tasks=[judged])


def test_a_function_of_the_servers_list_is_called(traps: Traps) -> None:
    own = task(metric="tests.helpers.scripts:uneven", reader={"kind": "text"})
    with pytest.raises(TaskError, match=r"tasks\[0\].metric.kind: this server does not call 'traps:trap'.*scripts:uneven"):
        Problem(tasks=[task(metric="traps:trap")])
    with pytest.raises(TaskError, match=r"tasks\[0\].reader.from: this server does not call 'traps:trap'"):
        Problem(tasks=[task(reader={"from": "traps:trap"})])
    traps.refuse_sprung()
    assert TaskSpec.model_validate(own).metric.own in (strict() or Serving()).functions


IMAGE = "data:image/png;base64,iVBORw0KGgo="


@pytest.mark.parametrize("written", ["canary.txt", "file:///etc/passwd", "https://example.org/a.png", "http://127.0.0.1:1/"])
def test_images_are_data(written: str, traps: Traps) -> None:
    part = {"type": "image_url", "image_url": {"url": written}}
    talk = [{"role": "user", "content": [{"type": "text", "text": "Odd?"}, part]}]
    for row, more in (({"question": "Odd?", "pic": written}, {"images": "pic"}), ({"question": talk}, {})):
        shown = task(examples=[row | {"answer": "yes"}], **more)
        with pytest.raises(TaskError, match="an image is taken as data only"):
            Problem(tasks=[shown])
        shown = json.loads(json.dumps(shown).replace(json.dumps(written), json.dumps(IMAGE)))
        assert Problem(tasks=[shown]).tasks == [shown]


def test_what_a_run_was_given_is_its_own(traps: Traps) -> None:
    before = {"tasks": [f"{traps.folder}/canary.yaml", task(metric="traps:trap")], "method": "fixed", "made_by": ["of old"]}
    with trusted([before]):
        assert Problem.model_validate(before).tasks == before["tasks"]
        assert Problem.model_validate(before | {"tasks": before["tasks"][:1]}).tasks == before["tasks"][:1]
        for changed in ({"tasks": [f"{traps.folder}/other.yaml"]}, {"made_by": ["x"]}, {"method": f"file:{traps.text}"}):
            with pytest.raises(UserError):
                Problem.model_validate(before | changed)
    with pytest.raises(UserError):
        Problem.model_validate(before)
    traps.refuse_sprung()


LARGE: list[tuple[dict[str, Any], str]] = [
    ({"user_candidates": 10**9}, "user_candidates: 1,000,000,000 is more than this server takes from clients; write 1,000 or less"),
    ({"iterations": 10**6}, "iterations: 1,000,000 is more"),
    ({"train_size": 10**9}, "train_size: 1,000,000,000 is more .* write 1,000,000 or less"),
    ({"system_prompts": ["a" * 300_000] * 70}, "the input is longer than 20,000,000 characters"),
    ({"system_prompt": "a" * 500_000}, "a text of the input is longer than 400,000 characters; shorten it: 'aaa"),
    ({"system_prompts": ["<locked>" * 10_000]}, "system_prompts: is longer than 50,000 characters"),
    ({"tasks": [task(answer="a." * 10_000)]}, r"tasks\[0\].answer: is longer than 10,000 characters"),
    ({"tasks": [task(reader={"pattern": "(a{999}){999}"})]}, r"tasks\[0\].reader.pattern: this server does not take a pattern"),
    ({"system_prompts": ["a"] * 1001}, "system_prompts: holds 1,001 things, more than 1,000"),
    ({"tasks": [task()] * 1001}, "tasks: holds 1,001 things"),
    ({"tasks": [task(user_prompts=["{question}"] * 1001)]}, r"tasks.\*.user_prompts: holds 1,001 things"),
    ({"tasks": [task(reader={"kind": "json", "schema": {"properties": {f"p{n}": {} for n in range(1001)}}})]}, "holds 1,001 things"),
    ({"tasks": [task(reader={"kind": "json", "schema": {"properties": {f"p{n}": {"const": "a" * 500} for n in range(900)}}})]},
     r"tasks\[0\].name: the task has more than 400,000 characters beside its rows"),
    ({"start": {"user_prompts": {"examples": ["a"] * 1001}}}, "start.user_prompts.examples: holds 1,001 things"),
    ({"tasks": [task()], "method": "protegi", "user_candidates": 1000, "keep": 40}, "asks for up to 40,000 evaluations at once"),
    ({"tasks": [task()], "system_candidates": 1000, "keep": 1000}, "asks for up to 1,000,000 evaluations at once"),
    ({"tasks": [task(name=f"t{n}") for n in range(100)], "sizes": {"system_candidates": 100}}, "asks for up to 10,000 eval"),
    ({"tasks": [task(user_prompts=["{question}"], answer_format="a" * 60_000)]}, r"tasks\[0\].answer_format: is longer than 50,"),
    ({"tasks": [task(question="{question}" * 900, examples=[{"question": "a" * 300_000, "answer": "yes"}])]},
     r"tasks\[0\].question: makes more than 200,000,000 characters of the rows"),
    ({"tasks": [task(question_pattern="^((a|aa)+)$", examples=[{"question": "a" * 60 + "b", "answer": "yes"}])]}, "takes longer"),
]  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize(("given", "says"), LARGE, ids=[says[:20] for _, says in LARGE])
def test_no_input_keeps_a_server_busy(given: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError, match=says):
        Problem.model_validate(given)


def test_patterns_that_each_take_a_little_are_refused_where_rows_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metaspo.workspace.admission.PATTERNS", 0.05)
    rows = [{"question": "a" * 22 + f"b{n}", "answer": "yes"} for n in range(100)]
    with pytest.raises(TaskError, match="takes longer than 1 s, or too long on all texts"):
        Problem(tasks=[task(question_pattern="(^((a|aa)+)$|.+)", examples=rows)])


def test_a_generalization_is_no_wider_than_a_server_works() -> None:
    for more in ({"prompts": 1000}, {"user_prompts": {"odd": [f"{n} {{question}}" for n in range(1000)]}}):
        with pytest.raises(ConfigError, match="asks for up to 4,000 evaluations at once"):
            Generalization.model_validate({"tasks": [task(), task(name="other")], **more})


def test_a_deep_input_is_refused_in_words() -> None:
    deep: Any = "x"
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(ConfigError, match="nested deeper than 60 levels"):
        Problem.model_validate({"tasks": [deep]})


def test_a_schema_whose_parts_multiply_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metaspo.tasks.answers.schemas.LONGEST", 0.2)
    parts: dict[str, Any] = {f"p{n}": {"allOf": [{"$ref": f"#/$defs/p{n + 1}"}] * 2} for n in range(30)} | {"p30": {}}
    reader = {"kind": "json", "schema": {"$defs": parts, "$ref": "#/$defs/p0"}}
    with pytest.raises(TaskError, match=r"takes longer than 0\.2 s; write a schema whose parts do not multiply"):
        Problem(tasks=[task(reader=reader)])


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("METASPO_SERVE_TASKS", "nowhere", "METASPO_SERVE_TASKS: there is no folder .*nowhere"),
        ("METASPO_SERVE_MODELS", "cheap", "METASPO_SERVE_MODELS: 'cheap' is neither name=spec"),
        ("METASPO_SERVE_MODELS", "a:b=openai:x", "is neither name=spec"),
        ("METASPO_SERVE_MODELS", "cheap=gpt", "model 'gpt': the form is provider:name"),
        ("METASPO_SERVE_MODELS", "nowhere.yaml", "nowhere.yaml: no such file"),
    ],
)
def test_mistakes_in_the_environment_are_told(variable: str, value: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        Serving.of({variable: value})


def test_names_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "serve.yaml"
    path.write_text(
        "models:\n  cheap: openai:gpt-4o-mini,temperature=0\n  big: {provider: scripted, name: dice}\nfunctions: [a.b:c]"
    )
    found = Serving.of({"METASPO_SERVE_MODELS": str(path)})
    assert found and {name: str(spec) for name, spec in found.models.items()} == {
        "cheap": "openai:gpt-4o-mini,temperature=0.0", "big": "scripted:dice",
    }  # fmt: skip
    assert found.functions == {"a.b:c"} and Serving.of(OPEN) is None and Serving.of({}) == Serving()


DICE = {"base": "scripted:dice", "optimizer": "scripted:dice"}
FEW = ROWS[:6]
SMALL = {"tasks": [task(examples=FEW)], "train_size": 2, "test_size": 1}


def hostile(kind: type[BaseModel], traps: Traps) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Input and context with each hostile value in each place of a schema; with Problem's those of contexts and task blocks."""
    own, contexts, blocks = (list(places(one.model_json_schema())) for one in (kind, Context, TaskSpec))
    for value in traps.values:
        yield from ((put(SMALL, place, value), DICE) for place in own)
        if kind is Problem:
            yield from ((SMALL, put(DICE, place, value)) for place in contexts)
            yield from (({"tasks": [put(task(examples=FEW), place, value)]}, DICE) for place in blocks)
            for row in ({"image": value}, {"vars": {"q": value}}, {"image": [{"role": "user", "content": value}]}):
                yield {"tasks": [task(examples=[{"answer": "yes"} | row], question="image", images="image")]}, DICE


@pytest.mark.long
@pytest.mark.parametrize("kind", [Problem, Generalization])
def test_no_value_in_any_place_is_read_imported_or_called(
    kind: type[BaseModel], traps: Traps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of a client's is looked at but as data, before and after it is admitted."""
    opened: list[str] = []
    sys.addaudithook(lambda event, about: opened.append(str(about[0])) if event in ("open", "subprocess.Popen") else None)
    tried = refused = 0
    for given, context in hostile(kind, traps):
        tried += 1
        try:
            made, _ = kind.model_validate(given), Context(**context)
            open_tasks(made.check(), made.settings())  # type: ignore[attr-defined]
        except (UserError, ValidationError) as error:
            refused += 1
            traps.refuse_sprung(str(error))
            assert isinstance(error, UserError), error
    assert tried > 500 and tried / 2 < refused < tried
    traps.refuse_sprung()
    assert not [path for path in opened if "canary" in path or path.endswith(("passwd", "true"))]
