"""Optimizer prompts of one's own: what is read from a folder, and what is refused, where and why."""

from pathlib import Path

import pytest

from metaspo.domain.errors import PromptError
from metaspo.prompts.own import LONGEST, NAMES, checked_prompts, read_folder, short_hashes, write_folder
from metaspo.prompts.renderer import VARIABLES, ours, template

GOOD = "Say what is wrong with [[system_prompt]]\nwhen it meets [[examples]]."


def folder_with(tmp_path: Path, name: str, content: str | bytes) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def test_what_is_written_as_a_start_is_ours_when_it_is_read(tmp_path: Path) -> None:
    written = write_folder(tmp_path / "new" / "mine")
    assert {path.stem for path in written} == set(NAMES) == set(VARIABLES) - {"judge", "judge_alone"}
    assert all(f"[[{variable}]]" in path.read_text() for path in written for variable in VARIABLES[path.stem])
    assert read_folder(tmp_path / "new" / "mine") == {name: ours(name).text for name in NAMES}
    with pytest.raises(PromptError, match="exists already"):
        write_folder(tmp_path / "new" / "mine")


def test_what_is_not_in_the_folder_is_ours(tmp_path: Path) -> None:
    own = read_folder(folder_with(tmp_path, "analyze_system.md", f"<!-- [[anything]] -->\n<!-- two -->\n{GOOD}\n"))
    (tmp_path / "mine" / ".DS_Store").write_bytes(b"\xff")
    assert own == read_folder(tmp_path / "mine") == {"analyze_system": GOOD}
    assert template("analyze_system", own).text == GOOD and template("tried", own) == ours("tried")


def test_braces_and_variables_in_values_stay_as_they_are() -> None:
    own = checked_prompts({"analyze_system": GOOD + r" {question} {{x}} \1 %s [[not one]]"})
    text = template("analyze_system", own).render(system_prompt="[[examples]] {0}", examples=r"\g<0>")
    assert text == "Say what is wrong with [[examples]] {0}\nwhen it meets \\g<0>." + r" {question} {{x}} \1 %s [[not one]]"


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("analyse_system.md", GOOD, r"analyse_system\.md: there is no .*did you mean analyze_system\.md\? They are analyze_user"),
        ("analyze_system.txt", GOOD, r"analyze_system\.txt: there is no .*did you mean analyze_system\.md\?"),
        ("README.md", "Mine.", r"README\.md: there is no optimizer prompt of that name; They are .*again\.md"),
        ("judge.md", "Grade.", r"judge\.md: is the judge's.*rubric"),
        ("analyze_system.md", "One.\n[[system_prompt]] alone", r"analyze_system\.md:1: \[\[examples\]\] is missing"),
        ("analyze_system.md", f"{GOOD}\n\n[[user_prompt]]", r"analyze_system\.md:4: unknown variable \[\[user_prompt\]\]"),
        ("analyze_system.md", f"<!--\n\n-->\n{GOOD}\n[[exmples]]", r"md:6: unknown .*did you mean \[\[examples\]\]\?"),
        ("analyze_system.md", "[[system_prompt]]\n{examples}", r"md:2: write \[\[examples\]\] for {examples}"),
        ("analyze_system.md", "[[system_prompt]]\n[[ examples ]]", r"md:2: write \[\[examples\]\] for \[\[ examples \]\]"),
        ("analyze_system.md", " \n", r"analyze_system\.md:1: is empty"),
        ("analyze_system.md", "<!-- nothing else -->\n", r"analyze_system\.md:1: is empty"),
        ("analyze_system.md", f"<!-- open\n{GOOD}", r"analyze_system\.md:1: the comment never ends"),
        ("analyze_system.md", "\xff".encode("latin-1"), r"analyze_system\.md: not UTF-8 .*at byte 0"),
        ("analyze_system.md", GOOD + "x" * LONGEST, r"analyze_system\.md:1: has 50,0.* more than 50,000"),
        ("analyze_system.md", GOOD + "x" * 4 * LONGEST, r"analyze_system\.md: longer than 50,000"),
        ("induce_system.md", "From\n[[examples]]", r"induce_system\.md:1: never asks for the prompt between <prompt> and"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place(tmp_path: Path, name: str, content: str | bytes, says: str) -> None:
    with pytest.raises(PromptError, match=f"(?s){says}"):
        read_folder(folder_with(tmp_path, name, content))


@pytest.mark.parametrize("name", NAMES)
def test_every_variable_of_every_prompt_is_asked_for(tmp_path: Path, name: str) -> None:
    for variable in VARIABLES[name]:
        with pytest.raises(PromptError, match=rf"{name}\.md:1: \[\[{variable}\]\] is missing"):
            read_folder(folder_with(tmp_path, f"{name}.md", ours(name).text.replace(f"[[{variable}]]", "")))


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    folder_with(tmp_path, "tried.md", "nothing")
    with pytest.raises(PromptError) as error:
        read_folder(folder_with(tmp_path, "again.md", "[[attempts]]"))
    assert len(str(error.value).splitlines()) == 3


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(PromptError, match="none: No such file"):
        read_folder(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(PromptError, match="is empty; 'metaspo prompts DIR'"):
        read_folder(tmp_path / "empty")
    (tmp_path / "empty" / "again.md").mkdir()
    with pytest.raises(PromptError, match=r"again\.md: is no file"):
        read_folder(tmp_path / "empty")


def test_texts_by_name() -> None:
    assert checked_prompts(None) == checked_prompts({}) == {}
    assert checked_prompts({"again.md": " [[complaint]]\n"}) == {"again": "[[complaint]]"}
    once = checked_prompts({"again": "<!-- a --><!-- b -->[[complaint]]"})
    assert once == checked_prompts(once) == {"again": "[[complaint]]"}
    for wrong, says in (
        ("mine", "expected texts by name"), ({"again": 3}, "again: expected a text, not int"),
        ({"agian": "x"}, "did you mean again"), ({"again": "\n\n[[x]] [[complaint]]"}, r"again, line 3: unknown variable"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=says):
            checked_prompts(wrong)
    assert short_hashes({"b": "x", "a": "y"}).keys() == {"a", "b"} and len(short_hashes({"b": "x"})["b"]) == 8
