"""Tasks looked at without any model: listed, checked, previewed."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from ..domain.errors import TaskError
from ..domain.messages import as_data, image_urls
from .answers.label_sets import named_in
from .catalogue import builtin_tasks, read_task
from .changes import DataChanges, data_changes
from .examples import Pools, load_pools
from .inventory import inventory, settings_of
from .paper import fetch
from .paper.benchmarks import Benchmark, benchmarks, select
from .spec import TaskSpec
from .task import Task


def list_tasks() -> list[dict[str, Any]]:
    """The built-in tasks, then the catalogue; `data` says whether a task's examples are on this machine."""
    rows: list[tuple[str, str, TaskSpec | Benchmark]] = [(name, "built in", read_task(name)) for name in builtin_tasks()]
    rows += [(task.id, "fetched" if task.fetched else "to fetch", task) for task in benchmarks().values()]
    return [
        {"task": name, "domain": task.domain, "role": task.role, "data": data, "description": task.description}
        for name, data, task in rows
    ]


def fetch_tasks(words: Sequence[str], folder: Path | None, seed: int) -> Iterator[dict[str, Any]]:
    """Fetch the catalogue's tasks that the words name, one manifest after the other.

    From the hub, or from the authors' files in `folder`; a task whose file isn't there yields
    {"task", "missing"} unless none has one. Raises TaskError, HubError, MissingExtraError; tasks that
    were fetched before the error stay.
    """
    chosen = list(dict.fromkeys(task.id for word in words for task in select(word)))
    tasks = [benchmarks()[id] for id in chosen]
    if folder is None:
        yield from (fetch.fetch(task, seed) for task in tasks)
        return
    if folder.is_file() and len(tasks) > 1:
        raise TaskError(f"{folder} is one file, and {len(tasks)} tasks were named; name one task, or a folder")
    files = {task.id: fetch.local_file(task, folder) for task in tasks}
    if not any(files.values()):
        wanted = ", ".join(f"{task.folder}/{task.name}.json" for task in tasks[:3])
        raise TaskError(f"{folder}: no file of {', '.join(words)} there; expected {wanted}{' and so on' * (len(tasks) > 3)}")
    for task in tasks:
        path = files[task.id]
        yield fetch.adopt(task, path) if path else {"task": task.id, "missing": f"{task.folder}/{task.name}.json"}


def differences(before: str, after: str) -> DataChanges:
    """What changed between two task files, each with its data; they are one task, whatever their names."""
    old, new = (read_task(one) for one in (before, after))
    stocks = [inventory(load_pools(spec), settings_of(spec)) for spec in (old, new)]
    return data_changes({new.name: stocks[0]}, {new.name: stocks[1]})


def described(spec: TaskSpec, pools: Pools, left_out: Mapping[str, int]) -> dict[str, Any]:
    """What a task holds, a word or a few for each thing; `left_out` are its rows that are no examples, by what says so."""
    known = [example.answer for examples in pools.values() for example in examples if example.answers]
    labels = Counter(label for answer in known for label in named_in(spec.reader, answer))
    common = ", ".join(f"{label} {count}" for label, count in labels.most_common(5)) if spec.reader.labels else ""
    return {
        "task": spec.name,
        "examples": ", ".join(
            [
                *(f"{split or 'not split'} {len(examples)}" for split, examples in pools.items()),
                *_more_than_text(pools),
                *(f"{count} left out by {setting}" for setting, count in left_out.items() if count),
            ]
        ),
        "answers": common or (f"{len(labels)} different" if labels else "none, which the metric does not need"),
        "reader": f"{spec.reader.kind} from {spec.reader.source}",
        "metric": spec.metric.kind,
    }


def _more_than_text(pools: Pools) -> list[str]:
    """How many questions are conversations, and how many images all of them show."""
    messages = [example.messages for examples in pools.values() for example in examples if example.messages]
    talks = sum(len(one) > 1 for one in messages)
    shown = len(set(image_urls(chain.from_iterable(messages))))
    counted = ((talks, "conversation"), (shown, "image"))
    return [f"{count} {word}{'s' * (count != 1)}" for count, word in counted if count]


def preview(source: str, system: str) -> dict[str, Any]:
    """The chat messages of a task's first example under its seed user prompt, and the expected answer."""
    spec = read_task(source, Path())
    pools = load_pools(spec)
    example = next(iter(pools.values()))[0]
    task = Task(spec, {})
    messages = [as_data(message) for message in task.messages(system, spec.user_prompt, example)]
    held = (list(task.constraint.choices) or spec.reader.held_to) if task.constraint else None
    return {"task": spec.name, "messages": messages, "expected": list(example.answers), "constraint": held}
