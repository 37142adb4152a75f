"""Bringing a task of the catalogue onto this machine: read, convert, draw, check, write."""

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from random import Random
from typing import Any

from ...domain.errors import HubError, TaskError
from ..answers.readers import canonical
from ..examples import load_pools
from ..rows.files import read_rows
from . import hub
from .benchmarks import EXAMPLES, MANIFEST, Benchmark, Source
from .conversions import Draft, Record, Unusable, number_forms
from .draws import Drawn, distinct, draw, shared_questions
from .grounding import retrieved

STALE = 24 * 3600
"""Seconds after which the temporary folder of a killed fetch is removed by the next one."""


def fetch(task: Benchmark, seed: int) -> dict[str, Any]:
    """Fetch a task from the hub into its place and return its manifest.

    The draw depends on the seed, the task and the hub's data. Raises HubError, MissingExtraError or
    TaskError; what was there before then stays as it is.
    """
    source = hub.pinned(task.source)
    reads = {"train": _read(task, source, "train", seed)}
    reads["test"] = reads["train"] if source.train == source.test else _read(task, source, "test", seed)
    drafts = {split: read[0] for split, read in reads.items()}
    drawn = draw(drafts["train"], drafts["test"], (task.train_size, task.test_size), f"{seed}/draw/{task.id}")
    for split, one in drawn.items():
        one.dropped.update(reads[split][1])
        if not one.kept:
            reasons = ", ".join(f"{count} {reason}" for reason, count in one.dropped.items())
            raise HubError(f"no {split} examples of '{task.id}' in {source.hub}: {reasons or 'it has no such records'}")
    if task.context:
        both = retrieved([draft for one in drawn.values() for draft in one.kept], task.context)
        count = len(drawn["train"].kept)
        drawn = {"train": Drawn(both[:count], drawn["train"].dropped), "test": Drawn(both[count:], drawn["test"].dropped)}
    told = source.model_dump(exclude_defaults=True, exclude={"checked"})
    return _write(task, drawn, {"source": told, "conversion": task.conversion, "context": task.context, "seed": seed})


def adopt(task: Benchmark, path: Path) -> dict[str, Any]:
    """Take a task's data from a local file in the authors' form and return its manifest.

    The form: {"train": [{"question", "answer"}], "test": [...]}, where `answers` may list all accepted
    ones. All rows are kept but repeated questions. Raises TaskError with file and item.
    """
    split_of = {row.place: row.split for row in read_rows(path)}
    if set(split_of.values()) != {"train", "test"}:
        raise TaskError(f'{path}: expected the authors\' form, {{"train": [{{"question", "answer"}}, ...], "test": [...]}}')
    load_pools(task.spec(path.parent).model_copy(update={"examples": str(path.absolute()), "duplicates": "drop"}))
    drafts: dict[str, list[Draft]] = {"train": [], "test": []}
    for row in read_rows(path):
        drafts[row.split].append(_authors(row.values, task))
    told = {"file": str(path.absolute()), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    notes = {"source": told, "conversion": "authors' form", "licence": "that of the file's origin"}
    return _write(task, distinct(drafts["train"], drafts["test"]), notes)


def local_file(task: Benchmark, folder: Path) -> Path | None:
    """The authors' file of a task in a folder, there or in the folder of its domain; None where it isn't."""
    if folder.is_file():
        return folder
    inside = (folder, folder / task.folder, folder / task.domain)
    candidates = (where / f"{name}.json" for where in inside for name in (task.name, *task.aliases))
    return next((path for path in candidates if path.is_file()), None)


def _authors(record: Record, task: Benchmark) -> Draft:
    answers = record["answers"] if isinstance(record.get("answers"), list) else [record["answer"]]
    texts = [str(answer).strip() for answer in answers]
    return Draft(str(record["question"]), number_forms(texts) if task.conversion == "bigbench_open" else tuple(texts))


def _read(task: Benchmark, source: Source, split: str, seed: int) -> tuple[list[Draft], Counter[str]]:
    drafts: list[Draft] = []
    dropped: Counter[str] = Counter()
    parts: list[str] = getattr(source, split)
    for part in parts:
        for position, record in enumerate(hub.records(source, part)):
            try:
                drafts.append(_draft(task, record, Random(f"{seed}/{task.id}/{part}/{position}")))
            except Unusable as reason:
                dropped[str(reason)] += 1
    return drafts, dropped


def _draft(task: Benchmark, record: Record, random: Random) -> Draft:
    try:
        draft = task.convert(record, random)
    except (KeyError, TypeError, ValueError) as error:
        raise HubError(
            f"a record of {task.source.hub} is not in the form that '{task.conversion}' knows: {error!r}; its fields are "
            f"{', '.join(map(str, record))}. Give local files in the authors' form with --from DIR"
        ) from error
    labels = {label.casefold() for label in task.reader.labels or []}
    for answer in draft.answers:
        if labels and answer.casefold() not in labels:
            raise Unusable("an answer that is no label")
        if task.reader.kind in ("integer", "number") and canonical(task.reader, answer) is None:
            raise Unusable("an answer that is no such number")
    return draft


def _write(task: Benchmark, drawn: Mapping[str, Drawn], told: Mapping[str, Any]) -> dict[str, Any]:
    """Write examples and manifest; whole or not at all."""
    examples = {split: [_row(draft) for draft in one.kept] for split, one in drawn.items()}
    text = json.dumps(examples, ensure_ascii=False, indent=1)
    leaked = shared_questions(drawn["train"].kept, drawn["test"].kept)
    if leaked:
        raise TaskError(f"task '{task.id}': {leaked} questions would be in both train and test; nothing was written")
    manifest = {
        "task": task.id,
        "title": task.title,
        "role": task.role,
        "licence": task.licence,
        **told,
        "splits": {split: _counts(task, one) for split, one in drawn.items()},
        "shared_questions": leaked,
        "sha256": {EXAMPLES: hashlib.sha256(text.encode()).hexdigest()},
        "metaspo": version("metaspo"),
    }
    try:
        _place(task, {EXAMPLES: text, MANIFEST: json.dumps(manifest, ensure_ascii=False, indent=2)})
    except OSError as error:
        raise TaskError(f"{task.place}: cannot be written: {error.strerror or error}; nothing was changed there") from error
    return manifest


def _row(draft: Draft) -> dict[str, Any]:
    answers = list(draft.answers)
    return {"question": draft.question, "answer": answers[0], **({"answers": answers} if len(answers) > 1 else {})}


def _counts(task: Benchmark, drawn: Drawn) -> dict[str, Any]:
    counts: dict[str, Any] = {"examples": len(drawn.kept), "dropped": dict(drawn.dropped)}
    if task.reader.kind != "text":
        counts["answers"] = dict(sorted(Counter(draft.answers[0] for draft in drawn.kept).items()))
    return counts


def _place(task: Benchmark, files: Mapping[str, str]) -> None:
    home = task.place.parent
    home.mkdir(parents=True, exist_ok=True)
    _sweep(home.glob(".new-*"))
    with tempfile.TemporaryDirectory(prefix=".new-", dir=home, ignore_cleanup_errors=True) as temporary:
        new, old = Path(temporary) / "new", Path(temporary) / "old"
        new.mkdir()
        for name, text in files.items():
            (new / name).write_text(text, encoding="utf-8")
        load_pools(task.spec(new))
        if task.place.exists():
            os.replace(task.place, old)
        try:
            os.replace(new, task.place)
        except OSError:
            if old.exists():
                os.replace(old, task.place)
            raise


def _sweep(folders: Iterable[Path]) -> None:
    for folder in folders:
        if time.time() - folder.stat().st_mtime > STALE:
            shutil.rmtree(folder, ignore_errors=True)
