"""Rows from Arrow tables, as Parquet files and Hugging Face data sets hold them; labels by the names of their features."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from .plain import NotPlain, plain

Features = Mapping[str, Any]
"""The features of a Hugging Face data set as plain data: {column: {"_type": "ClassLabel", "names": [...]}, ...}."""


PIECE = 1000
"""Rows that are held as a table at once."""


class Record(NamedTuple):
    """One row as plain data, and why those of its fields are left out that no text can stand for."""

    values: dict[str, Any]
    lacks: dict[str, str]

    def hint(self, field: str) -> str:
        """What to do about a field that is left out; see Row."""
        return f"take another one, since '{field}' {self.lacks[field]}" if field in self.lacks else ""


def records(batches: Iterable[Any], features: Features) -> Iterator[Record]:
    """The rows of tables of pyarrow."""
    return (record(values, features) for batch in batches for values in _exact(batch).to_pylist())


def _exact(batch: Any) -> Any:
    """A table with its short floats as they are written: 0.1, not the nearest that has more digits."""
    for at, column in enumerate(batch.schema):
        if str(column.type) in ("float", "halffloat"):
            batch = batch.set_column(at, column.name, batch.column(at).cast("float32").cast("string").cast("float64"))
    return batch


def is_dataset(value: Any) -> bool:
    """Whether something is a data set of Hugging Face's library, in memory or streamed."""
    return type(value).__module__.partition(".")[0] == "datasets" and hasattr(value, "features")


def dataset_records(dataset: Any) -> Iterator[Record]:
    """The rows of a data set of that library."""
    features = dataset.features.to_dict() if dataset.features is not None else {}
    if hasattr(dataset, "__len__"):
        # As Arrow has them, so that no image and no sound is decoded.
        return records(dataset.with_format("arrow").iter(PIECE), features)
    return (record(values, features) for values in dataset)


def record(values: Mapping[str, Any], features: Features) -> Record:
    """One row with the names of its labels."""
    found = Record({}, {})
    for name, value in values.items():
        try:
            found.values[str(name)] = plain(named(value, features.get(name)), (str(name),))
        except NotPlain as error:
            inside = f" (in {'.'.join(map(str, error.where))})" if len(error.where) > 1 else ""
            found.lacks[str(name)] = error.why + inside
    return found


def named(value: Any, feature: Any) -> Any:
    """A value with the names of its labels in the place of their numbers; -1, which stands for none, becomes None."""
    if value is None or not isinstance(feature, Mapping | list):
        return value
    if isinstance(feature, list):
        return [named(one, feature[0]) for one in value] if isinstance(value, list) else value
    if feature.get("_type") == "ClassLabel":
        names = feature.get("names") or []
        known = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(names)
        return names[value] if known else None if value == -1 else value
    inner = feature.get("feature")
    if isinstance(inner, Mapping | list) and isinstance(feature.get("_type"), str):
        # Of a sequence of records, older versions make a record of sequences.
        if isinstance(value, Mapping):
            return {name: [named(one, inner.get(name)) for one in column] if isinstance(column, list) else column
                    for name, column in value.items()} if isinstance(inner, Mapping) else value  # fmt: skip
        return [named(one, inner) for one in value] if isinstance(value, list) else value
    return {name: named(one, feature.get(name)) for name, one in value.items()} if isinstance(value, Mapping) else value
