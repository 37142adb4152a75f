"""YAML files of rows, in the forms that JSON files have, and those that are promptfoo's."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...domain.errors import TaskError
from ..documents import read_any_yaml
from ..rows.json_files import checked
from ..rows.row import Row
from ..rows.shapes import rows_in
from . import promptfoo


def rows(path: Path, read: promptfoo.ReadFile) -> list[Row]:
    """The rows of a YAML file, or the tests of promptfoo's. Raises TaskError naming file, and line where there is one."""
    document = read_any_yaml(path, TaskError)
    if _is_promptfoo(document.data):
        return promptfoo.tests(document, read)

    def error(said: str) -> TaskError:
        return TaskError(f"{path}: {said}")

    found = list(rows_in(document.data, error)) if document.data is not None else []
    return [Row(f"{path}, {one.where}", one.split, checked(one.values, f"{path}, {one.where}")) for one in found]


def _is_promptfoo(data: Any) -> bool:
    """Whether data is a config with tests, or a list of tests: with vars or asserts, or in files of their own."""
    tests = data.get("tests") if isinstance(data, Mapping) else data
    if isinstance(data, Mapping) and ("prompts" in data or "providers" in data or "defaultTest" in data):
        return True
    if isinstance(tests, str):
        return isinstance(data, Mapping)
    named = isinstance(data, Mapping)
    return isinstance(tests, list) and any(_is_test(one) or (named and isinstance(one, str)) for one in tests)


def _is_test(one: Any) -> bool:
    return isinstance(one, Mapping) and ("vars" in one or "assert" in one)
