"""A new run begins with the prompts that another one ended with, on data that have grown: what it says, refuses and tests."""

import csv
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner

import metaspo
from metaspo import Result
from metaspo.cli.main import main
from metaspo.domain.errors import ConfigError, UserError
from metaspo.reports.confirmed import newest_confirmed
from metaspo.reports.listing import list_runs
from metaspo.reports.pages.run_page import open_run_page
from metaspo.reports.report import open_report
from metaspo.reports.reproduced import reproduced
from metaspo.runs.config import config_of, read_config
from metaspo.store import dealt, runs
from metaspo.store.database import open_store
from metaspo.tasks.catalogue import read_task
from metaspo.tasks.likeness import comparable

from ..helpers import forked
from ..helpers.browser import looking_at, needs_browser
from ..helpers.langsmith_server import KEY, LangSmith, example

NOVICE = {"base": "scripted:novice", "optimizer": "scripted:novice"}
TASK: dict[str, Any] = {
    "name": "odd",
    "examples": "odd.csv",
    "user_prompt": "Answer yes or no.\n\n{question}",
    "reader": {"kind": "choice", "labels": ["yes", "no"], "from": "reply"},
}

MORTAL = '''
import os
import signal
from pathlib import Path

from metaspo.models.scripted import novice


def model(request):
    """The novice; its thirtieth call takes the process with it, once."""
    at = Path(__file__).with_name("calls")
    count = int(at.read_text()) + 1 if at.exists() else 1
    at.write_text(str(count))
    if count == 30:
        os.kill(os.getpid(), signal.SIGKILL)
    return novice(request)
'''


def rows(path: Path, numbers: Iterable[int], wrong: tuple[int, ...] = (), split: Callable[[int], str] | None = None) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["question", "answer", *(["split"] if split else [])])
        for i in numbers:
            answer = "yes" if (i % 2 == 1) != (i in wrong) else "no"
            writer.writerow([f"Is {i} odd?", answer, *([split(i)] if split else [])])


class Place(NamedTuple):
    """A folder with a config, its task, the rows of that, and the store of a run that is confirmed."""

    folder: Path
    run: str

    @property
    def store(self) -> Path:
        return self.folder / "metaspo.db"

    @property
    def config(self) -> Path:
        return self.folder / "run.yaml"

    def rows(self, numbers: Iterable[int], **settings: Any) -> None:
        rows(self.folder / "odd.csv", numbers, **settings)

    def task(self, **settings: Any) -> None:
        (self.folder / "odd.yaml").write_text(json.dumps(TASK | settings))

    def begin(self, run: Any = None, **settings: Any) -> Result:
        return metaspo.optimize(from_run=run or self.run, store=self.store, **settings)

    def says(self, *words: str) -> str:
        """What the plan says of a new run, and that no more than a plan is made."""
        done = CliRunner().invoke(main, ["optimize", str(self.config), "--from-run", self.run, "--plan", *words])
        assert done.exit_code == 0, done.output
        return done.stdout.partition("┏")[0]


def write_place(folder: Path, **settings: Any) -> Place:
    place = Place(folder, "")
    place.task()
    place.rows(range(200))
    config = {"tasks": ["odd.yaml"], **NOVICE, "iterations": 1, "test_size": 20, "store": "metaspo.db"}
    place.config.write_text(json.dumps(config | settings))
    return place


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = write_place(tmp_path_factory.mktemp("made"))
    done = CliRunner().invoke(main, ["optimize", str(place.config), "--json"])
    data = json.loads(done.stdout)
    assert done.exit_code == 0 and data["verdict"] == "confirmed" and data["from_run"] is None
    return place._replace(run=data["run"]["id"])


@pytest.fixture
def place(made: Place, tmp_path: Path) -> Place:
    """The test's own copy of it; a run without a config finds its task at the old place, so that is where it is put."""
    shutil.copytree(made.folder, tmp_path / "place")
    with open_store(tmp_path / "place" / "metaspo.db") as store:
        moved = f"replace(config, '{made.folder}', '{tmp_path / 'place'}')"
        store.db.execute(f"UPDATE runs SET config = {moved}")
        store.db.conn.commit()
    return made._replace(folder=tmp_path / "place")


def drawn(place: Place, run: str, *splits: str) -> set[str]:
    with open_store(place.store) as store:
        marks = ", ".join("?" * len(splits))
        joined = "dealt d JOIN examples e ON e.task = d.task AND e.id = d.example"
        asked = f"SELECT e.question FROM {joined} WHERE d.run = ? AND d.split IN ({marks})"
        return {comparable(question) for (question,) in store.db.execute(asked, [run, *splits])}


def selected(place: Place, run: str) -> set[str]:
    with open_store(place.store) as store:
        return {comparable(question) for question in dealt.selected_on(store.db, run)}


@pytest.mark.long
def test_it_begins_where_the_other_ended_and_says_what_changed(place: Place) -> None:
    place.rows(range(260, 9, -1), wrong=(77, 78))
    parent = open_report(place.store, place.run)
    done = CliRunner().invoke(main, ["optimize", str(place.config), "--from-run", "last", "--json"])
    assert done.exit_code == 0, done.output
    data = json.loads(done.stdout)
    said = f"Since run {place.run[:8]}: 61 new examples, 10 gone, 2 with another answer, 188 the same."
    assert data["from_run"]["says"][0] == said and data["from_run"]["run"] == place.run
    one = data["from_run"]["changes"]["tasks"][0]
    assert {key: one[key] for key in ("task", "examples", "new", "gone", "answers", "same")} == {
        "task": "odd", "examples": 251, "new": 61, "gone": 10, "answers": 2, "same": 188,
    }  # fmt: skip
    with open_store(place.store) as store:
        run, before = runs.find(store.db, data["run"]["id"]), runs.find(store.db, place.run)
        assert (run.parent, run.parent_round, run.config["problem"]["made_by"]) == (place.run, None, [place.run])
        assert run.config["problem"]["from_run"]["says"][0] == said and before.config["problem"].get("from_run") is None
    assert data["system_before"] == parent.system_after != parent.system_before
    shown = CliRunner().invoke(main, ["show", run.id, "--store", str(place.store)]).stdout
    assert f"begun from run {place.run}" in shown and said in " ".join(shown.split())
    page = place.folder / "page.html"
    assert CliRunner().invoke(main, ["report", run.id, "--store", str(place.store), "--output", str(page)]).exit_code == 0
    assert said in page.read_text()
    assert {row["run"]: row["parent"] for row in list_runs(place.store)} == {place.run: None, run.id: place.run}
    assert metaspo.verify(store=place.store).well
    # A branch of it goes on as one does, on the same examples.
    child = metaspo.branch(run.id, store=place.store, iterations=2)
    assert child.report.run.parent == run.id and child.report.from_run is None
    assert drawn(place, child.run, "validation") == drawn(place, run.id, "validation")
    assert metaspo.verify(child.run, store=place.store).well


@pytest.mark.long
@needs_browser
def test_the_page_says_where_it_began(place: Place) -> None:
    place.rows(range(260))
    made = place.begin()
    page = place.folder / "page.html"
    page.write_text(open_run_page(place.store, made.run))
    with looking_at(page, width=380) as looked:
        section = looked.page.get_by_role("region", name="Where it began")
        assert f"Since run {place.run[:8]}: 60 new examples" in section.inner_text() and looked.sideways() == 0
        cells = (
            looked.page.get_by_role("region", name="What changed in the data").locator("tbody tr").first.inner_text().split()
        )
        assert cells == ["odd", "260", "60", "0", "0", "200"]


@pytest.mark.long
def test_what_the_other_selected_on_selects_and_never_tests(place: Place) -> None:
    run = place.run
    for size in (240, 300, 380):
        place.rows(range(size))
        made = place.begin({"run": run, "allow_unconfirmed": True})
        old = selected(place, run)
        assert old and not drawn(place, made.run, "test", "validation") & old
        assert drawn(place, made.run, "test") and drawn(place, made.run, "validation")
        assert old <= selected(place, made.run)
        run = made.run


@pytest.mark.long
def test_its_first_scores_are_paid_once(place: Place) -> None:
    place.rows(range(230))
    first = place.begin()
    again = place.begin()
    assert first.run != again.run and first.report.usage.total_calls > 0 and again.report.usage.total_calls == 0
    assert (first.system_prompt, first.user_prompts) == (again.system_prompt, again.user_prompts)


def test_data_that_are_the_same_stop_it_before_anything_is_paid(place: Place) -> None:
    for change in (lambda: None, lambda: place.rows(range(199, -1, -1)), lambda: place.task(duplicates="drop")):
        change()
        with pytest.raises(
            ConfigError, match=r"nothing has changed in the data: 200 examples, all the same.*--allow-unchanged"
        ):
            place.begin()
    with (place.folder / "odd.csv").open("a") as file:
        file.write("is 7   ODD?,yes\n")
    with pytest.raises(ConfigError, match="nothing has changed"):
        place.begin()
    assert len(list_runs(place.store)) == 1
    words = ["optimize", "--from-run", "last", "--store", str(place.store)]
    assert CliRunner().invoke(main, words).exit_code == 2
    assert CliRunner().invoke(main, [*words, "--allow-unchanged", "--json"]).exit_code == 0


def test_without_a_config_it_is_as_that_run_was_but_for_what_is_set(place: Place) -> None:
    place.rows(range(210))
    made = place.begin("confirmed", seed=4, budget={"calls": 5})
    config = made.report.run.config
    assert config["context"]["budget"]["calls"] == 5 and config["problem"]["seed"] == 4 and config["problem"]["iterations"] == 1
    assert config["problem"]["tasks"] == [str(place.folder / "odd.yaml")]
    assert made.stopped is not None
    with pytest.raises(ConfigError, match=f"run {made.run[:8]} is not finished .*metaspo resume {made.run[:8]}"):
        place.begin(made.run)
    done = metaspo.resume(made.run, store=place.store, budget={"calls": 5000})
    assert done.stopped is None and done.report.from_run is not None and metaspo.verify(store=place.store).well


def test_where_tasks_are_named_none_of_the_other_runs_are_taken(tmp_path: Path) -> None:
    """What was unseen then, under another name now, is searched on and must not be tested as unseen."""
    place = write_place(tmp_path)
    rows(tmp_path / "even.csv", range(1000, 1200))
    (tmp_path / "even.yaml").write_text(json.dumps(TASK | {"name": "even", "examples": "even.csv"}))
    first = metaspo.optimize(read_config(place.config, {"targets": [str(tmp_path / "even.yaml")], "test_size": 20}))
    (tmp_path / "renamed.yaml").write_text(json.dumps(TASK | {"name": "renamed", "examples": "even.csv"}))
    wanted = {"run": first.run, "allow_unconfirmed": True}
    told = {"tasks": [str(tmp_path / "renamed.yaml")], "from_run": wanted, "store": str(place.store)}
    for config in (read_config(None, told), read_config(place.config, told), config_of(**told)):
        assert [read_task(task).name for task in config.tasks] == ["renamed"] and not config.targets
    own = read_config(None, {"from_run": {**wanted, "allow_unchanged": True}, "store": str(place.store)})
    assert len(own.tasks) == len(own.targets) == 1


def test_an_unconfirmed_run_is_no_place_to_begin(place: Place) -> None:
    returned = metaspo.optimize(tasks=[str(place.folder / "odd.yaml")], base="scripted:dice", optimizer="scripted:dice",
                                preset="quick", iterations=1, store=place.store, test_size=5)  # fmt: skip
    assert returned.report.verdict != "confirmed"
    place.rows(range(210))
    with pytest.raises(ConfigError, match=f"run {returned.run[:8]} is not confirmed.*allow-unconfirmed"):
        place.begin("last")
    confirmed = newest_confirmed(place.store)
    assert confirmed is not None and confirmed.id == place.run
    assert newest_confirmed(place.store, ["other"]) is None
    allowed = place.begin({"run": "last", "allow_unconfirmed": True})
    assert allowed.report.system_before == returned.system_prompt
    # Nor is one that searched nothing, a placebo, one that is not there, or one of another store.
    for run, says in (("ffff", "no run starts with 'ffff'"), ({"allow_unchanged": True}, "from_run names no run")):
        with pytest.raises(UserError, match=says):
            metaspo.optimize(from_run=run, store=place.store)
    with pytest.raises(ConfigError, match="there is no store"):
        metaspo.optimize(from_run="last", store=place.folder / "none.db")


@pytest.mark.long
def test_a_generalization_and_a_placebo_name_the_run_that_is_meant(place: Place) -> None:
    made = metaspo.generalize(
        system_prompt="Take care.", against="You.", tasks=[str(place.folder / "odd.yaml")], user_prompts={"odd": ["{question}"]},
        made_by=[place.run], store=place.store, test_size=4, train_size=4, **NOVICE,
    )  # fmt: skip
    with pytest.raises(ConfigError, match=f"searched nothing; begin from {place.run[:8]}"):
        place.begin(made.run.id)
    place.rows(range(230))
    done = place.begin(placebo=True)
    with pytest.raises(ConfigError, match=f"is a placebo, the control of run {done.run[:8]}"):
        place.begin(runs.placebo_id(done.run))
    assert metaspo.verify(store=place.store).well


def test_tasks_that_were_given_with_their_rows_are_asked_for(place: Place) -> None:
    given = [{"question": f"Is {i} odd?", "answer": "yes" if i % 2 else "no"} for i in range(200)]
    made = metaspo.optimize(tasks=[TASK | {"examples": given}], store=place.store, iterations=1, test_size=20, **NOVICE)
    with pytest.raises(ConfigError, match=r"was given its tasks with their rows.*name a config, or the tasks"):
        place.begin(made.run)
    more = [*given, {"question": "Is 901 odd?", "answer": "yes"}]
    begun = place.begin(made.run, tasks=[TASK | {"examples": more}])
    assert begun.report.from_run is not None and begun.report.from_run.changes.new == 1


@pytest.mark.long
def test_a_task_that_has_changed_says_what_it_begins_with(place: Place) -> None:
    place.rows(range(210))
    found = "its user prompts of odd"
    assert found in place.says()
    place.task(answer_format="Write yes or no alone.")
    assert "Task odd begins with its own user prompt again: the answer format has changed." in place.says()
    place.task(user_prompt="Odd, {tone}?\n\n{question}")
    assert "again: the one that was found does not hold the placeholder {tone}" in place.says()
    place.task(user_prompt="Is this number odd? Yes or no.\n\n{question}")
    said = place.says()
    assert found in said and "Task odd begins with its own user prompt too" in said and "odd: another user prompt." in said
    made = metaspo.optimize(from_run=place.run, store=place.store)
    assert made.report.run.config["problem"]["from_run"]["user_prompts"]["odd"][-1].startswith("Is this number odd?")
    place.task(name="parity")
    assert "parity: it was called odd." in place.says() and "its user prompts of parity" in place.says()
    place.task(metric="macro_f1")
    assert "odd: another metric." in place.says()


def test_a_system_prompt_that_does_not_fit_is_refused(place: Place) -> None:
    place.rows(range(210))
    for text, says in (
        ("Work for {firm}.", "does not hold the placeholder {firm}"),
        ("<locked>Sir.</locked> Hm", "locked parts"),
    ):
        with pytest.raises(ConfigError, match=says):
            place.begin(system_prompt=text)
    with pytest.raises(ConfigError, match="brings its own system prompt"):
        place.begin(method="cot")
    assert "has changed since that run, and is not what this one begins with" in place.says("--set", "system_prompt=Be brief.")
    assert "this run asks scripted:dice, where nobody has tried them" in place.says("--base", "scripted:dice")


@pytest.mark.long
def test_locked_parts_stay_locked(tmp_path: Path) -> None:
    place = write_place(tmp_path, system_prompt="<locked>You are a clerk.</locked> Hello.")
    first = metaspo.optimize(read_config(place.config))
    place.rows(range(230))
    made = place.begin({"run": "last", "allow_unconfirmed": True})
    assert made.report.run.config["problem"]["system_prompt"].count("<locked>You are a clerk.</locked>") == 1
    assert made.report.system_before == first.system_prompt


@pytest.mark.long
def test_rows_that_moved_to_the_test_split_are_not_tested(tmp_path: Path) -> None:
    place = write_place(tmp_path)
    place.rows(range(200), split=lambda i: "train" if i < 120 else "test")
    first = metaspo.optimize(read_config(place.config))
    place.rows(range(220), split=lambda i: "test" if i < 60 or i >= 150 else "train")
    made = place.begin({"run": first.run, "allow_unconfirmed": True})
    tested = drawn(place, made.run, "test", "validation")
    assert tested and not tested & selected(place, first.run)
    assert made.report.from_run is not None and "in another split" in made.report.from_run.says[0]


def test_a_run_of_an_earlier_version_is_compared_with_what_it_drew(place: Place) -> None:
    with open_store(place.store) as store:
        store.db.execute("UPDATE runs SET config = json_remove(config, '$.inventory')")
        store.db.conn.commit()
    place.rows(range(210))
    made = place.begin()
    assert made.report.from_run is not None
    said = made.report.from_run.says[0]
    assert (
        said.startswith(f"Since run {place.run[:8]}: of the ") and "that it did not draw (it kept no record of others)" in said
    )


def test_too_little_that_is_unseen_is_told(tmp_path: Path) -> None:
    place = write_place(tmp_path)
    place.rows(range(60), split=lambda i: "train" if i < 20 else "validation" if i < 40 else "test")
    first = metaspo.optimize(read_config(place.config))
    place.rows(range(64), split=lambda i: "train" if i < 20 or i > 60 else "validation" if i < 40 else "test")
    made = place.begin({"run": first.run, "allow_unconfirmed": True})
    assert made.report.from_run is not None
    assert any(
        "Nothing can be confirmed: no unseen example is left for validation in odd" in one for one in made.report.from_run.says
    )
    assert made.report.verdict == "unconfirmed"


def test_a_plan_says_it_before_it_counts(place: Place) -> None:
    place.rows(range(230))
    done = CliRunner().invoke(main, ["optimize", str(place.config), "--from-run", place.run, "--plan", "--json"])
    plan = json.loads(done.stdout)
    assert plan["from_run"]["changes"]["tasks"][0]["new"] == 30 and {need["role"] for need in plan["needs"]} >= {"base"}
    assert "30 new examples" in place.says() and len(list_runs(place.store)) == 1
    place.config.write_text(place.config.read_text().replace("{", '{"from_run": {"run": "last"}, ', 1))
    assert "30 new examples" in CliRunner().invoke(main, ["optimize", str(place.config), "--plan"]).stdout


def test_a_graph_is_not_told_where_to_look(place: Place) -> None:
    with pytest.raises(ConfigError, match="begin a run from another one with optimize"):
        metaspo.Problem.model_validate({"tasks": [TASK], "from_run": {"run": place.run}}).check()


@pytest.mark.long
def test_a_data_set_of_a_service_is_read_in_the_version_of_today(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    server = LangSmith()
    monkeypatch.setenv("LANGSMITH_ENDPOINT", server.address)
    monkeypatch.setenv("LANGSMITH_API_KEY", KEY)
    versions = ("2024-05-01T00:00:00+00:00", "2024-06-01T00:00:00+00:00")
    try:
        for version, size in zip(versions, (200, 240), strict=True):
            asked = [({"question": f"Is {i} odd?"}, {"answer": "yes" if i % 2 else "no"}) for i in range(size)]
            server.versions[version] = [example(i, *one) for i, one in enumerate(asked)]
            if size == 200:
                task = TASK | {"examples": "langsmith:Ticket Routing"}
                first = metaspo.optimize(tasks=[task], store=place.store, iterations=1, test_size=20, **NOVICE)
        made = place.begin(first.run)
    finally:
        server.close()
    assert made.report.from_run is not None and made.report.from_run.changes.new == 40
    pins = [[*run.config["data"].values()] for run in (first.report.run, made.report.run)]
    assert pins == [[versions[0]], [versions[1]]]


@pytest.mark.slow
def test_killed_in_the_middle_it_goes_on_and_pays_nothing_twice(place: Place) -> None:
    place.rows(range(260))
    (place.folder / "mortal.py").write_text(MORTAL)
    command = [sys.executable, "-m", "metaspo", "optimize", "--from-run", place.run, "--store", str(place.store)]
    models = ["--base", "scripted:mortal:model", "--optimizer", "scripted:mortal:model"]
    at = {"cwd": place.folder, "env": os.environ | {"PYTHONPATH": str(place.folder)}, "capture_output": True, "text": True}
    killed = forked.run([*command, *models], check=False, **at)
    assert killed.returncode == -signal.SIGKILL and "where nobody has tried them" in killed.stderr
    assert [row["status"] for row in list_runs(place.store)] == ["done", "killed"]
    done = forked.run([sys.executable, "-m", "metaspo", "resume", "--store", str(place.store)], check=False, **at)
    assert done.returncode == 0, done.stderr
    [before, after] = list_runs(place.store)
    assert (after["status"], after["parent"]) == ("done", before["run"])
    with open_store(place.store) as store:
        keys = [key for (key,) in store.db.execute("SELECT key FROM calls WHERE run = ?", [after["run"]])]
    assert len(keys) == len({key.partition("/")[0] for key in keys}) > 30
    assert metaspo.verify(store=place.store).well


def test_the_config_that_a_report_shows_begins_there_again(place: Place) -> None:
    place.rows(range(230))
    made = place.begin()
    shown = reproduced(made.report.run)
    assert f"It begins from run {place.run[:8]}, which is in the run's own store and in no other." in shown.without
    (place.folder / "again.yaml").write_text(shown.config)
    again = read_config(place.folder / "again.yaml", {"store": str(place.store)})
    assert again.from_run is not None and again.from_run.changes == made.report.run.config["problem"]["from_run"]["changes"]
    assert (again.system_prompt, again.made_by) == (made.report.system_before, [place.run])
    assert metaspo.optimize(again).report.usage.total_calls == 0
