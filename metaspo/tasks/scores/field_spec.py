"""How the fields of an answer are compared, as a person writes it."""

from typing import Any, Literal

from pydantic import Field

from ..written import Written


class FieldSpec(Written):
    """How one field is compared and how much it counts. Written as a word, or as a block when it needs settings."""

    kind: Literal["exact", "numeric", "set", "jaccard", "token_f1", "contains"] = Field(
        "exact", description="exact, numeric, set (F1 of two lists), jaccard, token_f1 or contains."
    )
    weight: float = Field(1.0, gt=0, allow_inf_nan=False, description="How much the field counts beside the others.")
    decimal: Literal["point", "comma"] = Field(
        "point", description="numeric: the sign before the fraction of a number that is written as text."
    )
    tolerance: float = Field(1e-6, ge=0, allow_inf_nan=False, description="numeric: how far the field may be off.")


def field_blocks(value: Any) -> Any:
    """Fields that are written as names, or as names with a word each, as blocks."""
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        value = dict.fromkeys(value, "exact")
    if not isinstance(value, dict):
        return value
    if not value or any(not isinstance(path, str) or not all(path.split(".")) for path in value):
        raise ValueError("names the fields that are compared, by dotted paths such as total.amount or items.*.sku")
    return {path: {"kind": how} if isinstance(how, str) else how for path, how in value.items()}
