"""A task tried before a run pays for it: what was asked, what was read, and nothing paid twice."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from metaspo import optimize
from metaspo.cli.main import main
from metaspo.domain.results import Example
from metaspo.runs.trial import spread

from ..helpers.endpoint import Endpoint, fail, say


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(folder: Path, rows: Any, **more: Any) -> Path:
    (folder / "rows.json").write_text(json.dumps(rows))
    task = {"name": "odd", "examples": "rows.json", "user_prompt": "Odd?\n\n{question}"}
    task |= {"reader": {"kind": "choice", "labels": ["yes", "no"], "from": "reply"}, **more}
    path = folder / "odd.yaml"
    path.write_text(json.dumps(task))
    return path


ROWS = [{"question": f"Is {n} odd?", "answer": "yes" if n % 2 else "no"} for n in range(40)]


def base(endpoint: Endpoint, **settings: Any) -> str:
    return ",".join([f"server:m,base_url={endpoint.url},patience=2", *(f"{key}={one}" for key, one in settings.items())])


def tried(*words: str) -> Result:
    return CliRunner().invoke(main, ["tasks", "try", *words])


def test_what_was_asked_is_shown_with_what_was_read_and_a_run_pays_nothing_for_it(folder: Path, endpoint: Endpoint) -> None:
    endpoint.act = lambda request, body, number: say("Yes." if number % 2 else "Maybe so")
    path = written(folder, ROWS)
    result = tried(str(path), "--base", base(endpoint), "--json")
    assert result.exit_code == 0, result.output
    [trial] = json.loads(result.stdout)
    assert (trial["task"], trial["calls"], len(trial["examples"])) == ("odd", 5, 5)
    assert {one["split"] for one in trial["examples"]} == {"train"}
    for one in trial["examples"]:
        assert [message["role"] for message in one["messages"]] == ["system", "user"]
        assert one["messages"] in [body["messages"] for body in endpoint.seen]
        assert one["answer"] == ("yes" if one["reply"] == "Yes." else None)
        assert one["score"] == float(one["answer"] in one["expected"])
        assert bool(one["explanation"]) == (one["answer"] is None)
    assert {tuple(one["expected"]) for one in trial["examples"]} == {("yes",), ("no",)}
    assert trial["read"] == sum(one["reply"] == "Yes." for one in trial["examples"])
    assert trial["input_tokens"] == 50 and trial["output_tokens"] == 10

    again = tried(str(path), "--base", base(endpoint))
    assert "5 known already" in again.output and "0 calls paid" in again.output and len(endpoint.seen) == 5
    assert "unparsed: no answer found in the reply" in again.output and "Maybe so" in again.output

    paid = {json.dumps(body["messages"]) for body in endpoint.seen}
    done = optimize(tasks=[str(path)], base=base(endpoint), method="fixed", store="metaspo.db", train_size=13, test_size=20)
    assert len(endpoint.seen) == len({json.dumps(body["messages"]) for body in endpoint.seen})
    tested = {row["question"] for row in ROWS} - {json.loads(one)[1]["content"].removeprefix("Odd?\n\n") for one in paid}
    assert done.report.tasks[0].examples == 20 and len(tested) == 35


@pytest.mark.long
@pytest.mark.parametrize(
    "reader",
    [
        {"kind": "choice", "labels": ["yes", "no"], "from": "reply"},
        {"kind": "labels", "labels": ["yes", "no"], "from": "reply"},
        {"kind": "json", "schema": {"type": "object", "properties": {"odd": {"type": "string"}}}},
    ],
    ids=lambda reader: str(reader["kind"]),
)
def test_replies_are_held_to_their_form_as_a_run_s_are(reader: dict[str, Any], folder: Path, endpoint: Endpoint) -> None:
    as_json = reader["kind"] == "json"
    endpoint.act = lambda request, body, number: say('{"odd": "yes"}' if as_json else '["yes"]')
    rows = [{**row, "answer": {"odd": row["answer"]}} for row in ROWS] if as_json else ROWS
    task, spec = written(folder, rows, reader=reader), base(endpoint, constrain="json_schema")
    tried = CliRunner().invoke(main, ["tasks", "try", str(task), "--base", spec, "--set", "constrain=true"])
    assert tried.exit_code == 0, tried.output
    before = len(endpoint.seen)
    given: dict[str, Any] = {"constrain": True, "base": spec, "optimizer": spec, "method": "fixed", "preset": "quick"}
    optimize(tasks=[str(task)], **given, train_size=12, validation_size=8)
    bodies = [json.dumps(body, sort_keys=True) for body in endpoint.seen]
    assert before == 5 and all("response_format" in body for body in endpoint.seen)
    assert len(bodies) == len(set(bodies)) > before


def test_no_example_that_a_run_tests_is_tried_unless_there_are_no_others(folder: Path) -> None:
    path = written(folder, {"train": ROWS[:3], "test": ROWS[3:]})
    [trial] = json.loads(tried(str(path), "--base", "scripted:dice", "--json", "--examples", "30").stdout)
    assert sorted(one["split"] for one in trial["examples"]) == ["train", "train", "validation"]
    path = written(folder, {"test": ROWS})
    [trial] = json.loads(tried(str(path), "--base", "scripted:dice", "--json").stdout)
    assert [one["split"] for one in trial["examples"]] == ["test"] * 5
    assert "has test examples alone" in tried(str(path), "--base", "scripted:dice").output


def test_a_judge_grades_and_its_words_are_shown(folder: Path) -> None:
    metric = {"kind": "judge", "rubric": "Polite."}
    path = written(folder, ROWS, metric=metric, reader={"from": "reply"})
    words = ("--base", "scripted:tests.helpers.scripts:uneven", "--judge", "scripted:tests.helpers.scripts:grader")
    result = tried(str(path), *words)
    assert "score 75, right: Almost." in result.output and "10 calls paid" in result.output


def test_a_budget_and_an_endpoint_that_is_gone_end_it_in_words(folder: Path, endpoint: Endpoint) -> None:
    path = written(folder, ROWS)
    result = tried(str(path), "--base", "scripted:dice", "--set", "budget.calls=2")
    assert result.exit_code == 3 and "2 tried" in result.output and "the budget of 2 calls is spent" in result.output
    endpoint.act = lambda request, body, number: fail(401, "bad key")
    result = tried(str(path), "--base", base(endpoint))
    assert result.exit_code == 2 and "bad key" in result.output and "Traceback" not in result.output


def test_a_system_prompt_from_a_file(folder: Path) -> None:
    path = written(folder, ROWS)
    (folder / "system.txt").write_text("Think hard.\n")
    [trial] = json.loads(tried(str(path), "--base", "scripted:dice", "--system", "@system.txt", "--json").stdout)
    assert trial["examples"][0]["messages"][0] == {"role": "system", "content": "Think hard."}
    result = tried(str(path), "--base", "scripted:dice", "--system", "@gone.txt")
    assert result.exit_code == 2 and "@gone.txt: No such file" in result.output


def test_answers_take_turns() -> None:
    examples = [Example(str(n), f"{n}?", ("rare" if n == 8 else "common",)) for n in range(10)]
    assert [example.id for example in spread(examples, 4)] == ["0", "8", "1", "2"]
    assert len(spread(examples, 40)) == 10


def test_several_base_models_are_tried_each(folder: Path, make_task: Callable[..., Any]) -> None:
    path = written(folder, ROWS)
    words = ("--base", "scripted:dice", "--base", "scripted:tests.helpers.scripts:uneven", "--examples", "2", "--json")
    [trial] = json.loads(tried(str(path), *words).stdout)
    assert [one["base"] for one in trial["examples"]] == ["scripted:dice"] * 2 + ["scripted:tests.helpers.scripts:uneven"] * 2
