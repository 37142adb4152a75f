"""Optimizer prompts of one's own: read from a folder, checked before any call, and ours copied out as a start."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from metaspo.domain.errors import PromptError

from .renderer import VARIABLE, VARIABLES, ours

NAMES = tuple(name for name in VARIABLES if not name.startswith("judge"))
"""The prompts that a run may bring its own of. How answers are graded is a task's to say, in its `rubric`."""

ASKING = tuple(name for name in NAMES if name.startswith(("propose", "induce", "evolve", "paraphrase", "rephrase")))
"""Those that are answered with a prompt."""

LONGEST = 50_000
"""The most characters that one may have."""

NOTES = re.compile(r"\A(?:\s*<!--.*?-->)+", re.DOTALL)
"""Comments at the head of a file: for people, and never sent."""

NEARLY = re.compile(r"\[\[[^\S\n]*(\w+)[^\S\n]*\]\]|(?<!\[)\[(\w+)\](?!\])|\{\{?(\w+)\}?\}")
"""What may have been meant as a variable."""


def read_folder(folder: Path) -> dict[str, str]:
    """The prompts in a folder by name, checked. Raises PromptError with file, line and what to write."""
    try:
        files = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise PromptError(
            f"{folder}: {error.strerror}; optimizer_prompts is a folder of texts, as 'metaspo prompts DIR' writes one"
        ) from None
    if not files:
        raise PromptError(f"{folder} is empty; 'metaspo prompts DIR' writes ours into a folder as a start")
    wrong = [f"{path}: {said}" for path in files if (said := _no_prompt(path))]
    if wrong:
        raise PromptError("\n".join(wrong))
    return _checked({path.stem: _read(path) for path in files}, {path.stem: str(path) for path in files})


def checked_prompts(given: Any) -> Any:
    """Texts by name, checked, without the comments at their heads; none for None. Raises ValueError."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise ValueError(
            "expected texts by name, such as {analyze_user: ...}; a folder can be named in a config file, on the command "
            "line and in Python"
        )
    texts = {str(name).removesuffix(".md"): text for name, text in given.items()}
    wrong = [f"{name}: {said}" for name in texts if (said := _no_name(name))]
    wrong += [
        f"{name}: expected a text, not {type(text).__name__}" for name, text in texts.items() if not isinstance(text, str)
    ]
    if wrong:
        raise PromptError("\n".join(wrong))
    return _checked(texts, {name: f"{name}, line " for name in texts})


def short_hashes(own: Mapping[str, str]) -> dict[str, str]:
    """What tells a prompt's text from another one, by name: the first 8 hex digits of its sha256."""
    return {name: hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8] for name, text in sorted(own.items())}


def write_folder(folder: Path) -> list[Path]:
    """Write ours into a folder, each with a comment on its variables; raises PromptError rather than replace a file."""
    files = {folder / f"{name}.md": f"<!-- {_about(name)} -->\n\n{ours(name).text}\n" for name in NAMES}
    there = [path for path in files if path.exists()]
    if there:
        raise PromptError(f"{there[0]} exists already; choose an empty folder: metaspo prompts DIR")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in files.items():
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise PromptError(f"{error.filename}: {error.strerror}; choose another folder") from None
    return list(files)


def _about(name: str) -> str:
    named = ", ".join(f"[[{variable}]]" for variable in sorted(VARIABLES[name]))
    tags = " Ask for the prompt between <prompt> and </prompt>." if name in ASKING else ""
    return f"Must hold, each at least once: {named}.{tags} This comment is not sent; a file that is left out is metaspo's own."


def _no_prompt(path: Path) -> str | None:
    """Why a file in a folder is no optimizer prompt, or None."""
    if path.suffix != ".md":
        near = path.stem if path.stem in NAMES else None
        return _not_one_of_ours(near, ".md") if near else _no_name(path.stem, ".md") or _not_one_of_ours(None, ".md")
    if not path.is_file():
        return "is no file; the folder holds text files and nothing else"
    return _no_name(path.stem, ".md")


def _no_name(name: str, ending: str = "") -> str | None:
    if name.startswith("judge"):
        return "is the judge's, and no optimizer prompt; how answers are graded is said in a task's rubric"
    if name in NAMES:
        return None
    return _not_one_of_ours(next(iter(get_close_matches(name, NAMES, 1)), None), ending)


def _not_one_of_ours(near: str | None, ending: str) -> str:
    meant = f"did you mean {near}{ending}? " if near else ""
    return f"there is no optimizer prompt of that name; {meant}They are {', '.join(name + ending for name in NAMES)}"


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > 4 * LONGEST:
            raise PromptError(f"{path}: longer than {LONGEST:,} characters; an optimizer prompt is a page, not a book")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as problem:
        raise PromptError(f"{path}: not UTF-8 ({problem.reason} at byte {problem.start}); save it as UTF-8") from None
    except OSError as problem:
        raise PromptError(f"{path}: cannot be read: {problem.strerror}") from None


def _checked(texts: Mapping[str, str], places: Mapping[str, str]) -> dict[str, str]:
    """The texts without their notes; raises PromptError with every complaint, each with its place and line."""
    wrong = [said for name, text in texts.items() for said in _complaints(name, text, places[name])]
    if wrong:
        raise PromptError("\n".join(wrong))
    return {name: NOTES.sub("", text).strip() for name, text in sorted(texts.items())}


def _complaints(name: str, text: str, place: str) -> Iterator[str]:
    def at(where: int) -> str:
        line = text.count("\n", 0, where) + 1
        return f"{place}{line}" if place.endswith(" ") else f"{place}:{line}"

    begins = match.end() if (match := NOTES.match(text)) else 0
    body = text[begins:]
    if not body.strip():
        yield f"{at(0)}: is empty; write the prompt, or leave it out to have ours"
        return
    if body.lstrip().startswith("<!--"):
        yield f"{at(begins)}: the comment never ends; close it with -->"
        return
    if len(body) > LONGEST:
        yield f"{at(0)}: has {len(body):,} characters, more than {LONGEST:,}; an optimizer prompt is a page, not a book"
        return
    known = VARIABLES[name]
    for found in VARIABLE.finditer(body):
        if found[1] not in known:
            near = next(iter(get_close_matches(found[1], known, 1)), None)
            meant = f"did you mean [[{near}]]? " if near else ""
            yield f"{at(begins + found.start())}: unknown variable [[{found[1]}]]; {meant}Those of {name} are {_named(known)}"
    for missing in sorted(known - {*VARIABLE.findall(body)}):
        nearly = next((found for found in NEARLY.finditer(body) if missing in found.groups()), None)
        if nearly:
            yield f"{at(begins + nearly.start())}: write [[{missing}]] for {nearly[0]}: {name} must hold that variable"
        else:
            yield f"{at(begins)}: [[{missing}]] is missing; {name} must hold {_named(known)}, each at least once"
    if name in ASKING and not ("<prompt>" in body and "</prompt>" in body):
        yield f"{at(begins)}: never asks for the prompt between <prompt> and </prompt>, where it is looked for; write that"


def _named(variables: frozenset[str]) -> str:
    return ", ".join(f"[[{variable}]]" for variable in sorted(variables))
