"""What `metaspo tasks check` warns of before a run pays: one kind of flaw, one warning; a sound task has none."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from metaspo.cli.main import main
from metaspo.tasks.near import nearly_alike

SPOKEN = "one two three four five six seven eight nine ten".split()


def row(number: int, answer: str) -> dict[str, str]:
    return {"question": f"Case {number}: shall we take it?", "answer": answer}


SOUND = [row(number, "yes" if number % 2 else "no") for number in range(200)]


def check(folder: Path, *options: str, rows: Any = SOUND, **more: Any) -> Result:
    reader = {"kind": "choice", "labels": ["yes", "no"], "from": "reply"}
    task = {"name": "cases", "examples": rows, "user_prompt": "Answer yes or no.\n\n{question}", "reader": reader} | more
    path = folder / "cases.yaml"
    path.write_text(json.dumps(task))
    return CliRunner().invoke(main, ["tasks", "check", str(path), *options])


def warnings(folder: Path, *options: str, rows: Any = SOUND, **more: Any) -> list[str]:
    result = check(folder, "--json", *options, rows=rows, **more)
    assert result.exit_code == 0, result.output
    [found] = json.loads(result.stdout)
    return list(found["warnings"])


def test_a_sound_task_has_none(tmp_path: Path) -> None:
    assert warnings(tmp_path) == []
    assert all(
        not row["warnings"] for row in json.loads(CliRunner().invoke(main, ["tasks", "check", "app_reviews", "--json"]).stdout)
    )


def test_they_are_said_on_stderr_and_are_no_errors(tmp_path: Path) -> None:
    result = check(tmp_path, rows=SOUND[:20])
    assert result.exit_code == 0 and result.stderr.startswith("warning: cases: too few rows for preset paper")
    assert "warning" not in result.stdout


def test_rows_that_are_no_examples_are_counted(tmp_path: Path) -> None:
    result = check(
        tmp_path, "--json", rows=[*SOUND, row(300, "-"), row(301, "-"), SOUND[0]], drop={"answer": "-"}, duplicates="drop"
    )
    [found] = json.loads(result.stdout)
    assert found["examples"] == "not split 200, 2 left out by where and drop, 1 left out by duplicates"


TEXT = {"from": "reply"}
WORDY = [{"question": f"What stands in the book {n} of this long shelf of mine", "answer": f"thing {n}"} for n in range(200)]
MESSAGES = [
    ({"rows": SOUND[:40]}, "too few rows for preset paper, which wants 40 for train, 40 for validation"),
    ({"rows": SOUND[:40]}, "20 examples are left for the test"),
    ({"rows": SOUND[:1]}, "too few rows: task 'cases' has 0 examples"),
    ({"rows": {"test": SOUND}}, "too few rows for preset paper"),
    ({"rows": [row(n, "yes") for n in range(200)]}, "every answer is 'yes'"),
    ({"rows": [row(n, "no" if n % 10 else "yes") for n in range(200)]}, "180 of 200 answers are 'no': the best constant answer scores 90.0"),
    ({"reader": {"kind": "choice", "labels": ["yes", "no", "maybe"], "from": "reply"}}, "no row has the answer 'maybe'"),
    ({"rows": {"train": [row(n, "yes") for n in range(80)], "test": SOUND[100:]}}, "no train row has the answer 'no'"),
    (
        {"rows": {"train": SOUND[:100], "test": [{"question": "We shall take it: case 7?", "answer": "yes"}, *SOUND[100:]]}},
        "1 question says nearly the same as another, such as 'Case 7: shall we take it?' (train)",
    ),
    (
        {"rows": [*SOUND, {"question": "Please, case 7: shall we take it?", "answer": "no"}]},
        "1 of them with another answer",
    ),
    ({"rows": SOUND[:1] * 5, "duplicates": "drop"}, "one question is all that is left of the rows"),
    ({"rows": [{"question": f"{one['question']} Answer: {one['answer']}", "answer": one["answer"]} for one in SOUND]},
     "200 of 200 questions say their answer"),
    ({"rows": [{"question": f"{one['question']} ({one['answer']})", "answer": one["answer"]} for one in SOUND]},
     "200 of 200 questions say their answer"),
    (
        {"rows": [row(n, "spam" if n % 2 else "not spam") for n in range(200)], "user_prompt": "Say spam or not spam. {question}",
         "reader": {"kind": "choice", "labels": ["spam", "ham", "not ham"], "from": "reply"}},
        "is not one of the labels",
    ),
    ({"user_prompt": "Answer. {question}"}, "the user prompt does not name the label 'yes' or 'no'"),
    ({"reader": {"kind": "choice", "labels": ["yes", "no"]}}, "answers are read from <answer> and </answer>"),
    (
        {"rows": [*SOUND, {"question": "word " * 9000, "answer": "no"}]},
        "1 prompt is long: row 201 ('word word word word word word word word ...')",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("task", "message"), MESSAGES)
def test_each_flaw_is_told(task: dict[str, Any], message: str, tmp_path: Path) -> None:
    result = check(tmp_path, **task)
    assert message in result.output and "Traceback" not in result.output


def test_an_answer_that_no_reply_can_state_is_told(tmp_path: Path) -> None:
    rows = [*WORDY, {"question": "How is it written?", "answer": "in <answer>these</answer> tags"}]
    prompt = "End with <answer>the answer</answer>. {question}"
    [said] = warnings(tmp_path, rows=rows, reader={"from": "tag"}, user_prompt=prompt)
    assert "a reply that says 'in <answer>these</answer> tags' and nothing else is read as" in said
    assert not warnings(tmp_path, rows=rows, reader={"from": "reply"})


def test_a_constrained_reply_needs_no_named_labels(tmp_path: Path) -> None:
    assert warnings(tmp_path, user_prompt="Answer. {question}", constrain=True) == []


def test_options_in_the_question_need_no_names_in_the_prompt(tmp_path: Path) -> None:
    rows = [{"question": f"Case {n}?\n(A) take it\n(B) leave it", "answer": "AB"[n % 2]} for n in range(200)]
    reader = {"kind": "choice", "labels": ["A", "B"], "from": "reply"}
    assert warnings(tmp_path, rows=rows, reader=reader, user_prompt="Choose. {question}") == []


def test_the_preset_and_the_model_can_be_named(tmp_path: Path) -> None:
    assert not warnings(tmp_path, "--preset", "quick", rows=SOUND[:100])
    rows = [*SOUND, {"question": "word " * 2000, "answer": "no"}]
    [said] = warnings(tmp_path, "--base", "local:smollm2", rows=rows)
    assert "local:smollm2 takes 2,048" in said and "row 201" in said
    assert not warnings(tmp_path, "--base", "local:smollm2,context=8192", rows=rows)
    assert not warnings(tmp_path, rows=rows)


JUDGE = {"kind": "judge", "rubric": "Polite."}


def test_a_judges_model_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    for model, message in (
        (
            "opnai:gpt",
            "task 'cases': metric.model: model 'opnai:gpt': provider: there is no provider of this name; did you mean openai?",
        ),
        ("gpt-4o", "metric.model: model 'gpt-4o': the form is provider:name"),
        ("openai:gpt-4o,temprature=1", "unknown setting 'temprature'"),
        ("scripted:no.such:thing", "metric.model: scripted:no.such:thing cannot be imported"),
    ):
        result = check(tmp_path, reader=TEXT, rows=WORDY, metric=JUDGE | {"model": model})
        assert result.exit_code == 2 and message in result.output, result.output
    [said] = warnings(tmp_path, reader=TEXT, rows=WORDY, metric=JUDGE | {"model": "openai:gpt-4o"})
    assert "openai:gpt-4o needs a key: set the environment variable OPENAI_API_KEY" in said
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    assert not warnings(tmp_path, reader=TEXT, rows=WORDY, metric=JUDGE | {"model": "openai:gpt-4o"})


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("I was charged twice on my card", "Charged twice, I was: on my card!", True),
        ("My refund did not arrive in the mail", "My refund did not arive in the mail", True),
        ("Please tell me where my parcel is", "Tell me where my parcel is", True),
        ("I was charged twice on my card", "I was not charged twice on my card", False),
        ("Case 7: shall we take it?", "Case 8: shall we take it?", False),
        ("what is the capital of france", "what is the capital of spain", False),
        ("今天天气很好我们去公园吧", "今天天气很好我们去公园", True),
        ("今天天气很好我们去公园", "今天天气不好我们去公园", False),
        (" ".join(SPOKEN * 4), "quite another text", False),
    ],
)
def test_which_questions_say_the_same(one: str, other: str, alike: bool) -> None:
    between = [f"{word} things lie on the table in front of it" for word in SPOKEN]
    assert list(nearly_alike([one, *between, other])) == ([(0, len(between) + 1)] if alike else [])


def test_ten_thousand_rows_take_seconds() -> None:
    import time

    started = time.process_time()
    rows = [f"Row {n} says {' '.join(SPOKEN[int(digit)] for digit in str(n * 7919))} and no more of it" for n in range(10_000)]
    assert list(nearly_alike([*rows, f"so {rows[4000]}"])) == [(4000, 10_000)]
    assert time.process_time() - started < 15


@pytest.mark.slow
def test_of_very_many_questions_a_part_is_looked_through_for_near_ones_and_that_is_said(tmp_path: Path) -> None:
    alike = [f"What stands in the {word} of this long shelf of mine" for word in ("book", "book now")]
    rows = [{"question": text, "answer": "yes"} for text in alike] + [row(number, "no") for number in range(20_000)]
    rows += [
        {"question": f"Who has ever been to the {word} in the far north", "answer": "no"} for word in ("place", "place then")
    ]
    [said] = [one for one in warnings(tmp_path, rows=rows) if "nearly the same" in one]
    assert said.startswith("1 question says nearly the same") and "(of 20000 of 20004 questions)" in said
