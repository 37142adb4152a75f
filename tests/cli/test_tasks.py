import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from metaspo.cli.main import main


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def metaspo(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def authors(folder: Path, name: str) -> Path:
    rows = [{"question": f"Number {number}\n(A) x\n(B) y", "answer": "AB"[number % 2]} for number in range(30)]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps({"train": rows[:20], "test": rows[20:]}))
    return folder / f"{name}.json"


def test_fetched_tasks_are_listed_checked_and_optimized_on_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("ob_gyn", "anatomy"):
        authors(tmp_path / "data" / "medmcqa", name)
    result = metaspo("tasks", "fetch", "medical", "--from", "data")
    assert result.exit_code == 0, result.output
    assert "medical/ob_gyn: 20 train, 10 test examples, 0 records left out" in result.output
    assert "medical/dental: left out, no file medmcqa/dental.json" in result.output
    rows = {row["task"]: row for row in json.loads(metaspo("tasks", "list", "--json").output)}
    assert (rows["medical/anatomy"]["domain"], rows["medical/anatomy"]["data"]) == ("medical", "fetched")
    assert rows["medical/dental"]["data"] == "to fetch" and rows["shop_reviews"]["data"] == "built in" and len(rows) == 41
    checked = json.loads(metaspo("tasks", "check", "medical/anatomy", "--json").output)
    assert checked[0]["examples"] == "train 20, test 10"
    names = ["--task", "medical/ob_gyn", "--target", "medical/anatomy", "--preset", "quick", "--set", "train_size=8"]
    result = metaspo("optimize", *names, "--base", "scripted:dice", "--optimizer", "scripted:dice", "--json")
    assert result.exit_code == 0, result.output
    assert {task["name"]: task["role"] for task in json.loads(result.output)["tasks"]} == {
        "ob_gyn": "source",
        "anatomy": "target",
    }


def test_one_file_for_one_task(tmp_path: Path) -> None:
    path = authors(tmp_path, "mine")
    [manifest] = json.loads(metaspo("tasks", "fetch", "medical/surgery", "--from", path, "--json").output)
    assert manifest["task"] == "medical/surgery" and manifest["source"]["file"] == str(path)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["anatmy"], "no task of the catalogue is called 'anatmy'"),
        (["medical", "--from", "{file}"], "is one file, and 8 tasks were named"),
        (["safety/liar", "--from", "{folder}"], "no file of safety/liar there; expected safety/liar.json"),
    ],
)
def test_mistakes(words: list[str], message: str, tmp_path: Path) -> None:
    places = {"file": authors(tmp_path, "anatomy"), "folder": tmp_path}
    result = metaspo("tasks", "fetch", *(word.format(**places) for word in words))
    assert result.exit_code == 2 and message in result.output


def test_a_task_that_is_not_there_yet() -> None:
    result = metaspo("optimize", "--task", "medical/anatomy", "--base", "scripted:dice", "--optimizer", "scripted:dice")
    assert result.exit_code == 2 and "run 'metaspo tasks fetch medical/anatomy'" in result.output


@pytest.mark.parametrize(
    "more",
    [
        {"examples": "~nobody-here/rows.csv"},
        {"images": "image", "image_folder": "~nobody-here/pictures"},
        {"reader": {"kind": "json", "schema": "~nobody-here/schema.json"}},
    ],
    ids=["examples", "image_folder", "schema"],
)
def test_a_home_that_is_unknown_holds_no_file(more: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [{"question": "What is it?", "answer": "{}", "image": "a.png"}]
    task = {"name": "t", "examples": rows, "user_prompt": "Say. {question}"} | more
    (tmp_path / "t.yaml").write_text(json.dumps(task))
    (tmp_path / "c.yaml").write_text(json.dumps({"tasks": [task], "base": "scripted:dice"}))
    for words in (["tasks", "check", "t.yaml"], ["optimize", "c.yaml"], ["optimize", "--task", "~nobody-here/t.yaml"]):
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 2 and "~nobody-here" in result.output, result.output


def test_what_changed_between_two_files_of_a_task(tmp_path: Path) -> None:
    block = {"examples": [{"question": f"Is {i} odd?", "answer": "yes" if i % 2 else "no"} for i in range(9)]}
    task = {"name": "odd", "user_prompt": "Say.\n{question}", "reader": {"kind": "choice", "labels": ["yes", "no"]}}
    after = {"examples": [{"question": "Is 99 odd?", "answer": "yes"}, *block["examples"][1:]], "metric": "macro_f1"}
    (tmp_path / "a.yaml").write_text(json.dumps(task | block))
    (tmp_path / "b.yaml").write_text(json.dumps(task | after | {"name": "parity"}))
    words = ["tasks", "diff", str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml")]
    said = CliRunner().invoke(main, words)
    assert said.exit_code == 0 and said.stdout.splitlines() == [
        f"Since {tmp_path / 'a.yaml'}: 1 new example, 1 gone, 0 with another answer, 8 the same.", "parity: another metric.",
    ]  # fmt: skip
    found = json.loads(CliRunner().invoke(main, [*words, "--json"]).stdout)
    assert (found["tasks"][0]["new"], found["tasks"][0]["settings"]) == (1, ["metric"])
