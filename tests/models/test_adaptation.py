"""What an endpoint refuses of requests is left out after one try, over real HTTP, and what is recorded is what was sent."""

import json
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from click.testing import CliRunner

import metaspo
from metaspo.cli.main import main
from metaspo.domain.errors import ModelError

from ..helpers import forked
from ..helpers.endpoint import Endpoint, fail, say

OPENAI = {
    "temperature": ("Unsupported value: 'temperature' does not support 0.0 with this model. Only the default (1) value is "
                    "supported.", "unsupported_value"),
    "max_tokens": ("Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
                   "unsupported_parameter"),
    "response_format": ("Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.", None),
}  # fmt: skip


def as_openai(name: str) -> web.Response:
    message, code = OPENAI.get(name, (f"Unsupported parameter: '{name}' is not supported with this model.", None))
    error = {"message": message, "type": "invalid_request_error", "param": name, "code": code}
    return web.json_response({"error": error}, status=400)


def as_fastapi(name: str) -> web.Response:
    detail = [{"type": "extra_forbidden", "loc": ["body", name], "msg": "Extra inputs are not permitted", "input": 0}]
    return web.json_response({"detail": detail}, status=422)


def as_vllm(name: str) -> web.Response:
    message = f"[{{'type': 'extra_forbidden', 'loc': ('body', '{name}'), 'msg': 'Extra inputs are not permitted', 'input': 0}}]"
    return web.json_response({"object": "error", "message": message, "type": "BadRequestError", "code": 400}, status=400)


def as_words(name: str) -> web.Response:
    return web.Response(text=f"This model does not support {name}.", status=400)


def with_200(name: str) -> web.Response:
    error = {"message": f"{name} is not supported by this provider", "code": 400}
    return web.json_response({"error": error})


WAYS: list[Callable[[str], web.Response]] = [as_openai, as_fastapi, as_vllm, as_words, with_200]


class Refusing:
    """An endpoint that takes no such parameters; says yes to odd numbers in the question, to all else no."""

    def __init__(self, *names: str, way: Callable[[str], web.Response] = as_openai) -> None:
        self.names, self.way, self.refusals = names, way, 0

    def __call__(self, request: web.Request, body: Any, number: int) -> web.Response:
        for name in self.names:
            if name in body:
                self.refusals += 1
                return self.way(name)
        if "response_format" in body:
            return say('{"answer": "yes"}')
        return say("yes" if any(f" {n} " in body["messages"][-1]["content"] for n in range(1, 99, 2)) else "no")


def run(make_task: Callable[..., Any], store: Path, base: Any, **settings: Any) -> Any:
    sizes = {"train_size": 4, "validation_size": 0, "test_size": 12}
    return metaspo.optimize(tasks=[make_task("t", 24)], base=base, method="fixed", store=store, **sizes, **settings)


def requests(store: Any) -> list[dict[str, Any]]:
    return [json.loads(row["request"]) for row in store.db["calls"].rows]


@pytest.mark.long
@pytest.mark.parametrize("way", WAYS)
def test_what_an_endpoint_refuses_is_left_out_after_one_try(
    way: Any, make_task: Any, store_path: Path, endpoint: Endpoint, open_store: Any
) -> None:
    endpoint.act = act = Refusing("temperature", "max_tokens", way=way)
    noted: list[str] = []
    result = run(make_task, store_path, endpoint.spec(concurrency=16), listener=lambda e: noted.append(str(e.get("text", ""))))
    assert result.stopped is None and result.report.tasks[0].after == 1.0
    assert act.refusals == 2 and all(body["max_completion_tokens"] == 512 for body in endpoint.seen[2:])
    assert [sum(said in text for text in noted) for said in ("takes no temperature", "takes no max_tokens")] == [1, 1]
    # What is recorded is what was sent, and what was refused is no call.
    store = open_store()
    assert [one["temperature"] for one in requests(store)] == [None] * (len(endpoint.seen) - 2)
    assert result.report.usage.total_calls == len(endpoint.seen) - 2
    assert [said in " ".join(result.report.remarks) for said in ("takes no temperature", "takes no max_tokens")] == [True] * 2
    # Gone on with, it asks as it did, without a try.
    paid = len(endpoint.seen)
    assert metaspo.resume(store=store_path).report.remarks == result.report.remarks and len(endpoint.seen) == paid


def test_the_form_of_replies_and_a_judge_without_temperature(
    make_task: Any, store_path: Path, endpoint: Endpoint, open_store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-mine")
    endpoint.act = act = Refusing("response_format", "temperature")
    model = f"openai:m,base_url={endpoint.url}"
    result = run(lambda *a: make_task(*a, constrain=True), store_path, model)
    assert result.stopped is None and result.report.tasks[0].after == 1.0 and act.refusals == 2
    assert not any("grammar" in one for one in requests(open_store()))


@pytest.mark.long
@pytest.mark.parametrize(
    ("setting", "value", "says"),
    [
        ("temperature", 0.3, "the setting temperature=0.3 asks for it: take it out, or write temperature=default"),
        ("top_p", 0.5, "the setting top_p asks for it"),
        ("seed", 3, "the setting seed asks for it"),
        ("reasoning_effort", "low", "the setting reasoning_effort asks for it"),
        ("max_completion_tokens", 99, "the setting max_completion_tokens asks for it: write max_tokens"),
        ("extra_body", {"top_k": 5}, "the setting extra_body.top_k asks for it"),
        ("constrain", "json_schema", "the setting constrain=json_schema asks for it"),
    ],
)
def test_what_a_person_set_is_never_dropped_in_silence(
    setting: str, value: Any, says: str, make_task: Any, store_path: Path, endpoint: Endpoint
) -> None:
    name = {"extra_body": "top_k", "constrain": "response_format"}.get(setting, setting)
    endpoint.act = act = Refusing(name)
    held = {"constrain": True} if setting == "constrain" else {}
    with pytest.raises(ModelError) as raised:
        run(lambda *a: make_task(*a, **held), store_path, endpoint.spec(**{setting: value}))
    assert says in str(raised.value) and name in str(raised.value) and act.refusals == len(endpoint.seen) == 1


def test_an_endpoint_that_takes_no_length_under_either_name(make_task: Any, store_path: Path, endpoint: Endpoint) -> None:
    endpoint.act = Refusing("max_tokens", "max_completion_tokens")
    with pytest.raises(ModelError, match="neither max_tokens nor max_completion_tokens"):
        run(make_task, store_path, endpoint.spec())
    assert len(endpoint.seen) == 2


def test_an_old_server_of_a_model_with_a_known_name(make_task: Any, store_path: Path, endpoint: Endpoint) -> None:
    endpoint.act = act = Refusing("max_completion_tokens", way=as_fastapi)
    assert run(make_task, store_path, endpoint.spec(name="gpt-5-local")).stopped is None
    assert act.refusals == 1 and endpoint.seen[-1]["max_tokens"] == 4096


def test_a_known_family_is_refused_nothing(make_task: Any, store_path: Path, endpoint: Endpoint) -> None:
    endpoint.act = act = Refusing("temperature", "max_tokens")
    assert run(make_task, store_path, endpoint.spec(name="openai/o3-mini")).report.tasks[0].after == 1.0
    assert act.refusals == 0


def test_runs_before_and_after_an_endpoint_changes_its_mind_share_nothing(
    make_task: Any, store_path: Path, endpoint: Endpoint, open_store: Any
) -> None:
    endpoint.act = Refusing("temperature")
    first = run(make_task, store_path, endpoint.spec())
    paid = len(endpoint.seen) - 1
    # The same again finds its calls once it knows what the endpoint takes: one try, which costs nothing.
    again = run(make_task, store_path, endpoint.spec())
    assert len(endpoint.seen) == 2 + paid and again.report.usage.total_calls == 0
    assert again.report.tasks[0].after == first.report.tasks[0].after == 1.0
    # The endpoint takes a temperature now, and answers in another way.
    endpoint.act = lambda request, body, number: say("no")
    other = run(make_task, store_path, endpoint.spec())
    assert other.report.usage.total_calls == paid and other.report.tasks[0].after == 0.5
    assert {one["temperature"] for one in requests(open_store())} == {None, 0.0}


def test_one_that_takes_none_any_more_in_mid_run_asks_anew_for_what_it_had(
    make_task: Any, store_path: Path, endpoint: Endpoint, open_store: Any
) -> None:
    answered = Refusing("temperature")
    endpoint.act = lambda request, body, number: say("yes") if number <= 4 else fail(401, "Bad key")
    with pytest.raises(ModelError):
        run(make_task, store_path, endpoint.spec(concurrency=1))
    endpoint.act = answered
    result = metaspo.resume(store=store_path)
    assert result.stopped is None and result.report.tasks[0].after == 1.0
    [evaluation] = [row["id"] for row in open_store().db["evaluations"].rows if row["split"] == "test"]
    calls = {row["key"]: json.loads(row["request"]) for row in open_store().db["calls"].rows}
    outcomes = [row for row in open_store().db["outcomes"].rows if row["evaluation"] == evaluation]
    assert {calls[row["call"]]["temperature"] for row in outcomes} == {None}


def test_temperature_default_is_the_same_as_one_left_out(
    make_task: Any, store_path: Path, endpoint: Endpoint, open_store: Any
) -> None:
    endpoint.act = act = Refusing("temperature")
    run(make_task, store_path, endpoint.spec(temperature="default"))
    paid = len(endpoint.seen)
    assert act.refusals == 0
    run(make_task, store_path, endpoint.spec())
    assert len(endpoint.seen) == paid + 1 and {one["temperature"] for one in requests(open_store())} == {None}


def test_an_error_that_repeats_the_question_is_not_about_a_parameter(
    make_task: Any, store_path: Path, endpoint: Endpoint
) -> None:
    def act(request: web.Request, body: Any, number: int) -> web.Response:
        return fail(400, f"Unsupported text: {body['messages'][-1]['content']}")

    endpoint.act = act
    task = lambda *a: make_task(*a, user_prompt="What temperature has it? {question}")  # noqa: E731
    with pytest.raises(ModelError, match="Unsupported text"):
        run(task, store_path, endpoint.spec())
    assert all("temperature" in body for body in endpoint.seen)


SYSTEM = [
    (400, "System role not supported"),
    (400, "Conversation roles must alternate user/assistant/user/assistant/..."),
    (400, "Developer instruction is not enabled for models/gemma-3-12b-it"),
    (400, "Unsupported value: 'messages[0].role' does not support 'system' with this model."),
    (500, "Jinja Exception: System role not supported"),
]


@pytest.mark.long
@pytest.mark.parametrize(("status", "words"), SYSTEM)
def test_a_template_without_a_system_role_says_what_to_set(
    status: int, words: str, make_task: Any, store_path: Path, endpoint: Endpoint
) -> None:
    def gemma(request: web.Request, body: Any, number: int) -> web.Response:
        roles = [one["role"] for one in body["messages"]]
        return say("yes") if roles == ["user"] else fail(status, words)

    endpoint.act = gemma
    with pytest.raises(ModelError, match="set system_role=fold"):
        run(make_task, store_path, endpoint.spec())
    assert len(endpoint.seen) == 1
    if "alternate" in words:
        with pytest.raises(ModelError, match="set system_role=fold"):
            run(make_task, store_path, endpoint.spec(system_role="user"))
    assert run(make_task, store_path, endpoint.spec(system_role="fold")).stopped is None


CONFIG = """
tasks:
- name: parity
  examples: [{examples}]
  user_prompt: "Yes or no? {{question}}"
  reader: {{kind: choice, labels: ["yes", "no"], from: reply}}
method: fixed
train_size: 4
validation_size: 0
test_size: 12
"""

KEY = "zq9secretvalue7431"


@pytest.mark.long
def test_two_processes_from_the_command_line_with_a_header_from_the_environment(
    tmp_path: Path, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing = Refusing("temperature", "max_tokens")

    def router(request: web.Request, body: Any, number: int) -> web.Response:
        if request.headers.get("X-Router-Key") != KEY or request.headers.get("X-Team") != "research":
            return fail(401, f"who are you, {request.headers.get('X-Router-Key')}?")
        return refusing(request, body, number)

    endpoint.act = router
    monkeypatch.setenv("ROUTER_SECRET_OF_MINE", KEY)
    rows = ", ".join(f'{{question: "Is {n} odd?", answer: "{("no", "yes")[n % 2]}"}}' for n in range(24))
    (tmp_path / "metaspo.yaml").write_text(CONFIG.format(examples=rows), encoding="utf-8")
    model = f"server:m,base_url={endpoint.url},headers.X-Router-Key=${{ROUTER_SECRET_OF_MINE}},headers.X-Team=research"
    line = [sys.executable, "-m", "metaspo", "optimize", "metaspo.yaml", "--base", model, "--store", "s.db"]
    both = [forked.Popen(line, cwd=tmp_path, stdout=forked.PIPE, stderr=forked.STDOUT, text=True) for _ in range(2)]
    outputs = [one.communicate(timeout=120)[0] for one in both]
    assert [one.returncode for one in both] == [0, 0], outputs
    assert all("takes no temperature" in output for output in outputs)
    # Each finds out for itself what it needs to know; no call is paid twice.
    assert refusing.refusals in (3, 4)
    with sqlite3.connect(tmp_path / "s.db") as db:
        keys = [key for (key,) in db.execute("SELECT key FROM calls")]
    assert len(keys) == len(endpoint.seen) - refusing.refusals and not any("/" in key for key in keys)
    shown = CliRunner().invoke(main, ["show", "--json", "--store", str(tmp_path / "s.db")])
    assert shown.exit_code == 0 and "takes no temperature" in shown.output
    # A refused key is in no error either.
    monkeypatch.setenv("ROUTER_SECRET_OF_MINE", f"{KEY}x")
    failed = CliRunner().invoke(
        main, [*line[3:4], str(tmp_path / "metaspo.yaml"), *line[5:7], "--store", str(tmp_path / "t.db")]
    )
    assert failed.exit_code == 2 and "HTTP 401" in failed.output
    for kept in (
        *outputs,
        failed.output,
        shown.output,
        *(one.read_bytes().decode("latin-1") for one in tmp_path.glob("*.db*")),
    ):
        assert KEY not in kept
