"""Files of this machine as others are told of them: by their names, without the folders that they lie in."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePath, PurePosixPath, PureWindowsPath
from typing import Any

FILE = "file:"
"""What the name of a method begins with that is a file of its own."""


def name_of(written: str) -> str:
    """The last part of an absolute path, POSIX's or Windows'; all else as it is written."""
    path = _absolute(written)
    return (path.name or written) if path else written


def file_name(written: str) -> str:
    """The name of a file, however the path to it is written."""
    return (_absolute(written) or PurePath(written)).name or written


def names_apart(written: Iterable[str]) -> dict[str, str]:
    """A name for each of several paths, with as many of its folders as it takes to tell them apart."""
    paths = {text: path for text in dict.fromkeys(written) if (path := _absolute(text))}
    named = {}
    for text, path in paths.items():
        ends = (path.parts[-size:] for size in range(1, len(path.parts)))
        others = [other.parts for other in paths.values() if other != path]
        end = next((end for end in ends if all(parts[-len(end) :] != end for parts in others)), path.parts[-1:])
        named[text] = "/".join(end)
    return named


def files_of(config: Mapping[str, Any]) -> list[str]:
    """The absolute paths of a config, where it may have any: of tasks, what they are made of, a method and models."""
    found: list[str] = []

    def note(text: str) -> str:
        found.append(text)
        return text

    renamed(config, note)
    return found


def renamed(config: Mapping[str, Any], name: Callable[[str], str]) -> dict[str, Any]:
    """A config with other names for the files that it names."""

    def of(value: Any) -> Any:
        return name(value) if isinstance(value, str) and _absolute(value) else value

    def task(given: Any) -> Any:
        if not isinstance(given, Mapping):
            return of(given)
        made = dict(given)
        examples, reader = made.get("examples"), made.get("reader")
        if isinstance(examples, Mapping):
            made["examples"] = {split: of(part) for split, part in examples.items()}
        elif isinstance(examples, str):
            made["examples"] = of(examples)
        if isinstance(reader, Mapping) and "schema" in reader:
            made["reader"] = {**reader, "schema": of(reader["schema"])}
        return made | ({"image_folder": of(made["image_folder"])} if "image_folder" in made else {})

    made = dict(config)
    for key in ("tasks", "targets"):
        if isinstance(made.get(key), list):
            made[key] = [task(one) for one in made[key]]
    if str(made.get("method", "")).startswith(FILE):
        made["method"] = FILE + of(str(made["method"]).removeprefix(FILE))
    return made


def _absolute(written: str) -> PurePath | None:
    if "\n" in written:
        return None
    return next((path for kind in (PurePosixPath, PureWindowsPath) if (path := kind(written)).is_absolute()), None)
