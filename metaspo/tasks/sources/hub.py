"""Data sets of the Hugging Face hub, and what its `datasets` library keeps on disk or in memory (extra 'hub')."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...domain.errors import HubError, MissingExtraError, TaskError
from ...domain.redaction import redact
from ..rows.row import Row
from .arrow import dataset_records
from .named import COMMIT, FORMS, HUB, Named
from .several import taken

AGAIN = "check the network and try again, or name a commit that this machine has already"
LOG_IN = "for private or gated data log in with 'hf auth login' or set HF_TOKEN"
NOT_THERE = {
    "GatedRepoError": f"does not give it to you; ask for access there, and {LOG_IN}",
    "RevisionNotFoundError": "has no such revision; name a branch, a tag or a commit, or none for the newest",
    "RepositoryNotFoundError": f"has no such data set; check its name, and {LOG_IN}",
    "DatasetNotFoundError": f"has no such data set; check its name, and {LOG_IN}",
    "DataFilesNotFoundError": "has no data files there; name another data set or revision",
}
"""Errors of the libraries that say that the hub has no such data, or not for this user; and what to do."""

UNREACHABLE = {"LocalEntryNotFoundError", "HTTPError", "JSONDecodeError"}
"""Errors of theirs that say nothing of what a person wrote, although they are of a kind that often does."""


def commit(name: str, revision: str | None, what: str = "reading from the Hugging Face hub") -> str:
    """The commit that a revision of a data set stands for now. Raises whatever the library does, and MissingExtraError."""
    library(what)
    from huggingface_hub import HfApi

    return str(HfApi().dataset_info(name, revision=revision).sha)


def pinned(named: Named) -> Named:
    """The data set at the commit that its revision stands for now.

    Raises TaskError where the hub has no such data, HubError where it can't be reached, MissingExtraError.
    """
    try:
        return named.at(commit(named.name, named.version or None))
    except MissingExtraError:
        raise
    except Exception as error:
        raise failure(named, error) from error


def rows(named: Named) -> list[Row]:
    """The rows of a data set: of the split that is named, or of all that say train, validation and test.

    Raises as `pinned` does, and TaskError for a configuration or a split that the data set does not have.
    """
    # First, since it fails at once, where the library would try for half a minute.
    asked, named = named, named if COMMIT.fullmatch(named.version) else pinned(named)
    load = library("reading from the Hugging Face hub").load_dataset
    try:
        found = load(named.name, named.config or None, split=named.split or None, revision=named.version or None)
        _check_commit(found, named)
    except Exception as error:
        raise failure(named, error) from error
    return rows_of(found, str(named), lambda split: asked.of(split).line)


def _check_commit(found: Any, named: Named) -> None:
    """Raise ConnectionError where the library took another commit from its cache, as it does when the hub is out of reach."""
    if COMMIT.fullmatch(named.version):
        parts = found.values() if isinstance(found, dict) else [found]
        files = [Path(file["filename"]) for part in parts for file in part.cache_files]
        commits = {part for file in files for part in file.parts if COMMIT.fullmatch(part)}
        if commits and named.version not in commits:
            raise ConnectionError(f"only commit {commits.pop()[:12]} of it is on this machine")


def rows_of(found: Any, where: str, write: Any) -> list[Row]:
    """The rows of a `Dataset`, or of a `DatasetDict`'s splits; `write` says how a task file names one of them."""
    if not isinstance(found, dict):
        return list(_rows(found, where, ""))
    try:
        splits = taken(list(map(str, found)), where, write)
    except ValueError as error:
        raise TaskError(str(error)) from None
    return [row for name, split in splits.items() for row in _rows(found[name], f"{where}, {name}", split)]


def saved_rows(folder: Path) -> list[Row]:
    """The rows of a folder that `save_to_disk` wrote. Raises TaskError, MissingExtraError."""
    load = library(f"{folder}: reading a saved data set").load_from_disk
    try:
        found = load(str(folder))
    except Exception as error:
        raise TaskError(f"{folder}: cannot be read as a saved data set: {first_line(error)}; save it again") from None
    return rows_of(found, str(folder), lambda split: f"{folder}/{split}")


def library(what: str) -> Any:
    """The `datasets` library. Raises MissingExtraError that says what it is wanted for."""
    try:
        import datasets
    except ImportError:
        raise MissingExtraError(what, "hub") from None
    return datasets


def failure(named: Named, error: Exception) -> Exception:
    """The error for people behind one of the libraries'."""
    kinds, said = [kind.__name__ for kind in type(error).__mro__], first_line(error)
    # What the hub answered stands behind what the data library makes of it.
    known = next((NOT_THERE[kind] for kind in (type(error.__cause__).__name__, *kinds) if kind in NOT_THERE), None)
    if known:
        return TaskError(f"{named}: the hub at {endpoint()} {known}")
    if isinstance(error, ValueError | RuntimeError) and not UNREACHABLE.intersection(kinds):
        return TaskError(f"{named}: {said.rstrip('.')}; write {FORMS[HUB]}")
    return HubError(f"{named} could not be read from {endpoint()}: {kinds[0]}: {said}; {AGAIN}")


def endpoint() -> str:
    """Where the hub is, as its library knows it."""
    from huggingface_hub.constants import ENDPOINT

    return ENDPOINT


def _rows(dataset: Any, where: str, split: str) -> Iterator[Row]:
    for position, one in enumerate(dataset_records(dataset)):
        yield Row(f"{where}[{position}]", split, one.values, hint=one.hint)


def first_line(error: Exception) -> str:
    """What an error says first, without keys, shortened."""
    said = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return redact(said)[:300]
