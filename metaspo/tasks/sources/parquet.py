"""Rows of Parquet files, read a piece at a time (extra 'hub', whose libraries read them)."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...domain.errors import MissingExtraError, TaskError
from ..rows.row import Row
from .arrow import PIECE, records


def rows(path: Path) -> list[Row]:
    """The rows of a Parquet file. Labels have the names that a Hugging Face library wrote beside the columns.

    Raises TaskError for a file that is none, MissingExtraError without pyarrow.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError(f"{path}: reading Parquet files", "hub") from None
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            features = _features(file.schema_arrow.metadata or {})
            found = records(file.iter_batches(PIECE), features)
            return [Row(f"{path}, row {number}", "", one.values, hint=one.hint) for number, one in enumerate(found, 1)]
    except FileNotFoundError:
        raise TaskError(f"{path}: no such file; 'examples' is relative to the file that names it") from None
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        said = str(error).split("\n")[0][:200]
        raise TaskError(f"{path}: cannot be read as Parquet: {said}; write the file again") from None


def _features(metadata: Mapping[bytes, bytes]) -> Mapping[str, Any]:
    """What a Hugging Face library says of the columns; nothing where another program wrote the file."""
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
    except (KeyError, TypeError, ValueError):
        return {}
    return features if isinstance(features, Mapping) else {}
