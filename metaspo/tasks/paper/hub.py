"""Records from the Hugging Face hub, through its `datasets` library (extra 'hub')."""

import os
from collections.abc import Iterator
from itertools import islice
from typing import Any

from ...domain.errors import HubError, MissingExtraError
from ..sources.hub import commit, endpoint, first_line, library
from .benchmarks import Source
from .conversions import Record

FETCHING = "fetching from the Hugging Face hub"


def pinned(source: Source) -> Source:
    """The source at the commit that its revision stands for now, so that the manifest can name it.

    Raises HubError when the hub can't be reached or has no such data set, MissingExtraError without
    the library. A local clone stays as it is.
    """
    if os.path.isdir(source.hub):
        return source
    try:
        found = commit(source.hub, source.revision, FETCHING)
    except MissingExtraError:
        raise
    except Exception as error:
        raise _failure(source, error) from error
    return source.model_copy(update={"revision": found})


def records(source: Source, part: str) -> Iterator[Record]:
    """The records of one split, or of one JSON file, that the source's filter lets through.

    Whole splits are downloaded once into the library's own cache; where the source has a limit, the
    records are streamed and no more is downloaded than they need. Raises HubError.
    """
    try:
        for record in islice(iter(_open(source, part)), source.limit):
            if all(record.get(field) == value for field, value in source.where.items()):
                yield record
    except MissingExtraError:
        raise
    except Exception as error:
        raise _failure(source, error) from error


def _open(source: Source, part: str) -> Any:
    streaming = source.limit is not None
    load = library(FETCHING).load_dataset
    if ".json" not in part:
        return load(source.hub, source.config, split=part, revision=_revision(source), streaming=streaming)
    # The generic reader, because the library refuses a repository that also holds a loading script.
    root = source.hub if os.path.isdir(source.hub) else f"hf://datasets/{source.hub}@{source.revision or 'main'}"
    return load("json", data_files=f"{root}/{part}", split="train", streaming=streaming)


def _revision(source: Source) -> str | None:
    return None if os.path.isdir(source.hub) else source.revision


def _failure(source: Source, error: Exception) -> HubError:
    said = f"{type(error).__name__}: {first_line(error)}"
    return HubError(
        f"the data set {source.hub} could not be read from {endpoint()}: {said}; check the "
        "network and try again, or give local files in the authors' JSON form with --from DIR"
    )
