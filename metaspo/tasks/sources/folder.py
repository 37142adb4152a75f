"""A folder as one data set: what `save_to_disk` wrote, or data files whose names say which split each is."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ...domain.errors import TaskError
from ..rows.row import Row
from ..rows.split_names import split_named
from .several import taken

SAVED = ("dataset_dict.json", "dataset_info.json", "state.json")
"""Files that only a folder of `save_to_disk` holds."""


def is_saved(folder: Path) -> bool:
    """Whether `save_to_disk` wrote a folder, as one data set or as several splits."""
    return (folder / SAVED[0]).is_file() or all((folder / name).is_file() for name in SAVED[1:])


def rows(folder: Path, endings: tuple[str, ...], read: Callable[[Path], list[Row]]) -> list[Row]:
    """The rows of a folder's data files, those in its folders too, all of the first ending that there is.

    A file is of the split that its name begins with (train-00000-of-00002.parquet), or that of its folder. Raises TaskError.
    """
    for ending in endings:
        files = [path for path in sorted(folder.rglob(f"*{ending}")) if not _is_hidden(path, folder)]
        if files:
            break
    else:
        raise TaskError(f"{folder}: holds no {', '.join(endings)} files and no data set that save_to_disk wrote; name a file")
    named = {path: _split(path, folder) for path in files}
    if not any(named.values()):
        return [row for path in files for row in read(path)]
    odd = next((path for path, name in named.items() if not name), None)
    if odd:
        raise TaskError(f"{odd}: is of no split by its name; say which files are: examples: {{train: ..., test: ...}}")
    try:
        splits = taken(list(dict.fromkeys(named.values())), str(folder), lambda name: f"{folder}/{name}{ending}")
    except ValueError as error:
        raise TaskError(str(error)) from None
    return [replace(row, split=splits[name] or row.split)
            for path, name in named.items() if name in splits for row in read(path)]  # fmt: skip


def _split(path: Path, folder: Path) -> str:
    """The word of a file's name, or of the folder that it is in, that is the name of a split; empty if none is."""
    words = re.split(r"[-_.]", path.stem.lower())
    inside = [part.lower() for part in path.relative_to(folder).parts[:-1]]
    return next((word for word in (words[0], *reversed(inside), words[-1]) if split_named(word)), "")


def _is_hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)
