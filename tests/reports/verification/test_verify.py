"""What is recorded is found again from the replies; whatever somebody changes in a store is told, and nothing else is."""

import gzip
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import metaspo
from metaspo import Task
from metaspo.cli.main import main
from metaspo.domain.errors import StoreError
from metaspo.reports.verification.findings import Difference

UNEVEN = "scripted:tests.helpers.scripts:uneven"
OLD = Path(__file__).parents[2] / "runs" / "stores" / "first.db.gz"
SHIFTED = """
def half(answer, golds):
    return {}
"""


def task(name: str, size: int = 60, **settings: Any) -> Task:
    rows = [{"question": f"Is {i} a number that {name} likes?", "answer": "yes" if i % 2 else "no"} for i in range(size)]
    reader = {"kind": "choice", "labels": ["yes", "no"], "from": "reply"}
    block = {"name": name, "examples": rows, "user_prompt": "Say yes or no.\n{question}", "reader": reader}
    return Task.model_validate(block | settings)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a staged search and its branch, one of the paper's, a judged task and a generalization."""
    path = tmp_path_factory.mktemp("verify") / "metaspo.db"
    common: dict[str, Any] = {"base": UNEVEN, "optimizer": UNEVEN, "store": path, "preset": "paper", "test_size": 6}
    both = [task("a"), task("b")]
    staged = metaspo.optimize(tasks=both, method="common_first", system_steps=2, user_steps=1, iterations=1, **common)
    metaspo.branch(staged.run, store=path, at=1)
    metaspo.optimize(tasks=both, method="metaspo", iterations=1, train_size=8, user_candidates=2, system_candidates=3, **common)
    judge = {"kind": "judge", "rubric": "Right?", "model": "scripted:tests.helpers.scripts:grader"}
    metaspo.optimize(tasks=[task("j", metric=judge)], method="outer_only", iterations=1, train_size=4, **common)
    metaspo.generalize(
        tasks=[task("c", 30)], base=UNEVEN, optimizer=UNEVEN, store=path, system_prompt="Be careful.", prompts=2, train_size=8,
        test_size=5,
    )  # fmt: skip
    return path


@pytest.mark.long
@pytest.mark.parametrize("text", ["Take care.", None])
def test_an_edit_that_a_person_rejects_after_all_is_found_again(text: str | None, store_path: Path) -> None:
    found = metaspo.optimize(
        tasks=[task("a"), task("b")], method="common_first", system_steps=2, user_steps=0, iterations=1, base=UNEVEN,
        optimizer=UNEVEN, store=store_path, preset="paper", test_size=6, approve="system",
    )  # fmt: skip
    assert found.request
    own = {"decision": "edit", "text": text or found.request["changes"][0]["after"]}
    shown = metaspo.resume(found.run, store=store_path, answer=own)
    assert shown.request and shown.request["changes"][0]["edited"]
    metaspo.resume(found.run, store=store_path, answer="reject")
    fates = asked(store_path, "SELECT stage FROM candidates WHERE reason = 'rejected by a person'")
    assert (None,) in fates and metaspo.verify(store=store_path).well
    asked(store_path, "UPDATE answers SET decision = 'accept' WHERE decision = 'reject'")
    [difference] = differences(store_path)
    assert (difference.what, difference.found) == ("answer", "the prompt is not there")


def run_of(path: Path, method: str) -> str:
    return str(asked(path, "SELECT id FROM runs WHERE method = ? ORDER BY rowid LIMIT 1", method)[0][0])


def asked(path: Path, query: str, *values: object) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as db, db:
        return db.execute(query, values).fetchall()


@pytest.fixture
def copy(good: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(good, tmp_path / "copy.db"))


def differences(path: Path, run: str | None = None) -> list[Difference]:
    return list(metaspo.verify(run, store=path).findings.differences)


@pytest.mark.long
def test_a_good_store_is_found_again_and_left_as_it_is(good: Path) -> None:
    before = good.read_bytes()
    found = metaspo.verify(store=good)
    assert found.well and len(found.runs) == 5
    outcomes, means = asked(good, "SELECT count(*) FROM outcomes")[0][0], asked(good, "SELECT count(*) FROM evaluations")[0][0]
    assert found.findings.checked["outcome"] == outcomes and found.findings.checked["mean"] == means
    assert found.findings.checked["candidate"] == asked(good, "SELECT count(*) FROM candidates")[0][0] - 4
    assert found.usage.total_calls == asked(good, "SELECT count(*) FROM calls")[0][0]
    stages = {row[0] for row in asked(good, "SELECT DISTINCT stage FROM candidates")}
    assert {"gate", "everything"} <= stages and good.read_bytes() == before


@pytest.mark.long
def test_one_run_is_looked_at_alone(good: Path) -> None:
    found = metaspo.verify(run_of(good, "metaspo")[:8], store=good)
    assert found.well and found.runs == [run_of(good, "metaspo")]
    with pytest.raises(StoreError, match="no run starts with"):
        metaspo.verify("nobody", store=good)


def test_a_store_of_the_first_version_is_found_again(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    path.write_bytes(gzip.decompress(OLD.read_bytes()))
    found = metaspo.verify(store=path)
    assert found.well and len(found.runs) == 5 and found.findings.checked["round"] == 11


def outcome_of(path: Path, run: str) -> tuple[str, int, str, str]:
    """A right outcome of an evaluation that a run selected by."""
    [row] = asked(
        path,
        "SELECT o.evaluation, o.position, o.example, o.call FROM outcomes o JOIN run_evaluations r USING (evaluation)"
        " WHERE r.run = ? AND r.round = 0 AND o.score = 1 ORDER BY 1, 2 LIMIT 1",
        run,
    )
    return row


@pytest.mark.parametrize("method", ["common_first", "metaspo"])
def test_an_outcome_that_was_flipped_is_told_and_nothing_that_follows_from_it(method: str, copy: Path) -> None:
    evaluation, position, example, _ = outcome_of(copy, run_of(copy, method))
    flip = "UPDATE outcomes SET score = 0, failed = 1 WHERE evaluation = ? AND position = ?"
    asked(copy, flip, evaluation, position)
    [one] = differences(copy)
    assert (one.what, one.example, one.run) == ("outcome", example, run_of(copy, method))
    assert one.recorded.endswith("0 wrong") and one.found.endswith("1 right") and one.task in "ab" and one.pair


def test_a_reply_that_was_edited_is_told_by_every_outcome_that_came_of_it(copy: Path) -> None:
    *_, example, call = outcome_of(copy, run_of(copy, "metaspo"))
    asked(copy, "UPDATE calls SET reply = CASE reply WHEN 'yes' THEN 'no' ELSE 'yes' END WHERE key = ?", call)
    found = differences(copy)
    assert {(one.what, one.example) for one in found} == {("outcome", example)}
    assert len(found) == asked(copy, "SELECT count(*) FROM outcomes WHERE call = ?", call)[0][0]


def test_a_mean_that_was_edited(copy: Path) -> None:
    evaluation, *_ = outcome_of(copy, run_of(copy, "metaspo"))
    asked(copy, "UPDATE evaluations SET score = score + 0.05 WHERE id = ?", evaluation)
    [one] = differences(copy)
    assert one.what == "mean" and float(one.recorded) == pytest.approx(float(one.found) + 0.05)


def test_counts_beside_a_mean(copy: Path) -> None:
    evaluation, *_ = outcome_of(copy, run_of(copy, "metaspo"))
    asked(copy, "UPDATE evaluations SET unparsed = 3 WHERE id = ?", evaluation)
    [one] = differences(copy)
    assert one.what == "mean" and "3 unparsed" in one.recorded and "0 unparsed" in one.found


@pytest.mark.parametrize("method", ["common_first", "metaspo"])
def test_a_winner_that_was_swapped(method: str, copy: Path) -> None:
    run = run_of(copy, method)
    other, *_ = asked(copy, "SELECT prompt FROM candidates WHERE run = ? AND level = 'system' AND status = 'rejected'", run)[0]
    asked(copy, "UPDATE standing SET system = ? WHERE run = ? AND round = 2 AND task = 'a' AND position = 0", other, run)
    [one] = differences(copy)
    assert (one.what, one.task, one.run) == ("winner", "a", run) and other in one.recorded and other not in one.found


def test_the_system_prompt_of_a_round_that_was_swapped(copy: Path) -> None:
    run = run_of(copy, "metaspo")
    other, *_ = asked(copy, "SELECT prompt FROM candidates WHERE run = ? AND level = 'system' AND status = 'rejected'", run)[0]
    asked(copy, "UPDATE rounds SET system = ? WHERE run = ? AND round = 2", other, run)
    assert [(one.what, other in one.recorded) for one in differences(copy)] == [("round", True)]


def test_a_prompt_whose_text_was_edited(copy: Path) -> None:
    run = run_of(copy, "metaspo")
    [[prompt]] = asked(copy, "SELECT system FROM rounds WHERE run = ? ORDER BY round DESC LIMIT 1", run)
    asked(copy, "UPDATE prompts SET text = text || ' Really.' WHERE id = ?", prompt)
    [one] = differences(copy)
    assert (one.what, one.recorded) == ("prompt", prompt)


@pytest.mark.long
@pytest.mark.parametrize("method", ["common_first", "metaspo"])
@pytest.mark.parametrize("change", ["status = 'kept'", "score = 0.123", "gain = 0.4321, stage = 'gate'"])
def test_the_fate_of_a_candidate_that_was_edited(method: str, change: str, copy: Path) -> None:
    run = run_of(copy, method)
    rejected = "SELECT rowid FROM candidates WHERE run = ? AND level = 'system' AND status = 'rejected' ORDER BY rowid LIMIT 1"
    asked(copy, f"UPDATE candidates SET {change} WHERE rowid = ({rejected})", run)
    assert [(one.what, one.run) for one in differences(copy)] == [("candidate", run)]


@pytest.mark.parametrize("parent", ["prompt", "(SELECT prompt FROM candidates WHERE level = 'user' AND task = 'c')"])
def test_a_parent_that_nobody_had_proposed_before(parent: str, copy: Path) -> None:
    run = run_of(copy, "metaspo")
    asked(copy, f"UPDATE candidates SET parent = {parent} WHERE run = ? AND round = 1 AND position = 0 AND task = 'a'", run)
    assert [one.what for one in differences(copy)] == ["lineage"]


def test_a_call_that_was_deleted(copy: Path) -> None:
    *_, example, call = outcome_of(copy, run_of(copy, "metaspo"))
    asked(copy, "DELETE FROM calls WHERE key = ?", call)
    found = differences(copy)
    assert {(one.what, one.example) for one in found} == {("reply", example), ("calls", "")}


@pytest.mark.parametrize("role", ["optimizer", "judge"])
def test_a_call_of_another_role_that_was_deleted(role: str, copy: Path) -> None:
    asked(copy, "DELETE FROM calls WHERE rowid = (SELECT min(rowid) FROM calls WHERE role = ?)", role)
    assert {one.what for one in differences(copy)} == ({"calls"} if role == "optimizer" else {"calls", "reply"})


def test_a_judges_reply_that_was_edited(copy: Path) -> None:
    asked(copy, "UPDATE calls SET reply = '<grade>1</grade>' WHERE rowid = (SELECT min(rowid) FROM calls WHERE role = 'judge')")
    found = differences(copy)
    assert found and {(one.what, one.task) for one in found} == {("outcome", "j")}
    assert all("0.75" in one.recorded and " 0 " in one.found for one in found)


def test_a_gold_answer_that_was_edited(copy: Path) -> None:
    asked(
        copy,
        "UPDATE examples SET answers = '[\"no\"]' WHERE rowid = (SELECT min(rowid) FROM examples WHERE answers LIKE '%yes%')",
    )
    assert "example" in {one.what for one in differences(copy)}


def test_an_evaluation_that_is_gone(copy: Path) -> None:
    evaluation, *_ = outcome_of(copy, run_of(copy, "metaspo"))
    asked(copy, "DELETE FROM evaluations WHERE id = ?", evaluation)
    found = metaspo.verify(store=copy)
    assert {one.what for one in found.findings.differences} == {"mean", "round"} and found.findings.unchecked


def test_what_the_metric_of_a_task_says_now_is_only_compared_where_it_is_the_same(
    tmp_path: Path, store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code = tmp_path / "own_metric_of_verify.py"
    code.write_text(SHIFTED.format("float(answer == golds[0])"))
    (tmp_path / "own.yaml").write_text(
        "name: own\nuser_prompt: 'Say: {question}'\nreader: {kind: choice, labels: [yes, no], from: reply}\n"
        "metric: own_metric_of_verify:half\nexamples:\n"
        + "".join(f"  - {{question: 'is it {at}?', answer: '{'yes' if at % 2 else 'no'}'}}\n" for at in range(20))
    )
    metaspo.optimize(
        tasks=["own.yaml"], method="default", base=UNEVEN, optimizer=UNEVEN, store=store_path, train_size=6, test_size=6
    )
    assert metaspo.verify(store=store_path).well
    code.write_text(SHIFTED.format("0.5"))
    sys.modules.pop(code.stem)
    changed = metaspo.verify(store=store_path).findings
    assert changed.differences == [] and any("changed" in why for why in changed.unchecked)
    code.unlink()
    sys.modules.pop(code.stem)
    gone = metaspo.verify(store=store_path).findings
    assert gone.differences == [] and gone.unchecked and not gone.well


def test_the_command_says_one_sentence_or_what_differs(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = CliRunner().invoke(main, ["verify", "--store", str(copy)])
    assert result.exit_code == 0 and result.output.count("\n") == 1 and "All is as recorded in 5 runs" in result.output
    evaluation, position, example, _ = outcome_of(copy, run_of(copy, "metaspo"))
    asked(copy, "UPDATE outcomes SET score = 0 WHERE evaluation = ? AND position = ?", evaluation, position)
    result = CliRunner().invoke(main, ["verify", "--store", str(copy)])
    assert result.exit_code == 1 and example in result.output and "recorded:" in result.output and "1 differ" in result.output
