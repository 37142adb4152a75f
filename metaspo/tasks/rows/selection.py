"""Which rows of the data are examples: `where` keeps those that say one of its values, `drop` leaves such rows out."""

from collections.abc import Iterable, Mapping
from typing import Any

from ...domain.errors import TaskError
from ..data_spec import DataSpec, mapped_key
from .paths import PathError, fields, follow
from .row import Row


def selected(spec: DataSpec, rows: Iterable[Row]) -> list[Row]:
    """The rows that `where` and `drop` leave.

    A field that a row lacks is null there. Raises TaskError where no row has it, and where no row is left.
    """
    every = list(rows)
    kept = every
    for setting, wanted in (("where", spec.where), ("drop", spec.drop)):
        for path, values in (wanted or {}).items():
            if every and not any(_has(row.values, path) for row in every):
                raise TaskError(
                    f"{every[0].place}: no field '{path}' (it has: {fields(every[0].values)}), nor in any other row; "
                    f"set '{setting}' of task '{spec.name}' to a field of the data"
                )
            said = {_key(one) for one in values}
            kept = [row for row in kept if (_key(_value(row.values, path)) in said) == (setting == "where")]
    if every and not kept:
        raise TaskError(f"task '{spec.name}': 'where' and 'drop' leave none of {len(every)} rows; mend their values")
    return kept


def _has(values: Mapping[str, Any], path: str) -> bool:
    try:
        follow(values, path)
    except PathError:
        return False
    return True


def _value(values: Mapping[str, Any], path: str) -> Any:
    return follow(values, path) if _has(values, path) else None


def _key(value: Any) -> str | None:
    """How values are compared: as in `answer_map`, and empty text, NaN and null are one."""
    if value is None or value != value or (isinstance(value, str) and not value.strip()):
        return None
    return mapped_key(value.strip() if isinstance(value, str) else value)
