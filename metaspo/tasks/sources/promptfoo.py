"""The tests of a promptfoo config, as rows of their variables and asserts."""

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

from ...domain.errors import TaskError
from ...domain.paths import path_of
from ..documents import Document, read_any_yaml
from ..rows.row import Row
from .asserts import of_csv

FILE = "file://"
TEXTS = (".txt", ".md")
ReadFile = Callable[[Path], list[Row]]

TESTS = "a list of tests, such as [{vars: {question: ...}, assert: [{type: equals, value: ...}]}], or the name of a file"
CODE = (".py", ".js", ".ts", ".mjs", ".cjs")


def tests(document: Document, read: ReadFile) -> list[Row]:
    """The tests of a config, or of a list of tests. `read` reads the data files that they name.

    A variable that is a list stands for a test with each of its values, as promptfoo takes it. Raises TaskError with file,
    line and number of the test: what is no test, what runs code, what is not there.
    """
    data = document.data
    if isinstance(data, list):
        return list(_several(document, (), data, {}, read))
    if not data.get("tests"):
        raise TaskError(f"{document.place(('tests',))}: no 'tests' there; write {TESTS}")
    if data.get("scenarios"):
        raise TaskError(f"{document.place(('scenarios',))}: scenarios are not read; write them out under 'tests'")
    common = data.get("defaultTest") or {}
    if isinstance(common, str):
        common = read_any_yaml(_beside(document, ("defaultTest",), common), TaskError).data
    if not isinstance(common, dict):
        raise TaskError(f"{document.place(('defaultTest',))}: defaultTest is a mapping with vars and assert")
    return list(_several(document, ("tests",), data["tests"], common, read))


Where = tuple[int | str, ...]


def _several(document: Document, at: Where, written: Any, common: Mapping[str, Any], read: ReadFile) -> Iterator[Row]:
    for position, test in enumerate(written if isinstance(written, list) else [written]):
        where = (*at, position) if isinstance(written, list) else at
        place = f"{document.place(where)}, test {position + 1}" if isinstance(written, list) else document.place(where)
        if isinstance(test, str):
            yield from _file(document, where, test, common, read)
        elif isinstance(test, Mapping):
            yield from _expanded(test, common, place, document.path.parent)
        else:
            raise TaskError(f"{place}: is no test; write {TESTS}")


def _file(document: Document, where: Where, name: str, common: Mapping[str, Any], read: ReadFile) -> Iterator[Row]:
    path = _beside(document, where, name)
    found = sorted(path.parent.glob(path.name)) if "*" in path.name else [path]
    if not found:
        raise TaskError(f"{document.place(where)}: no file is called {path}; name one that is there")
    for one in found:
        if one.suffix.lower() in (".yaml", ".yml"):
            inner = read_any_yaml(one, TaskError)
            yield from _several(inner, (), inner.data, common, read)
            continue
        for row in read(one):
            test = row.values if "vars" in row.values else of_csv(row.values)
            yield from _expanded(test, common, row.place, one.parent)


def _beside(document: Document, where: Where, name: str) -> Path:
    path = path_of(name.removeprefix(FILE))
    if "://" in name.removeprefix(FILE) or path.suffix.lower() in CODE:
        raise TaskError(
            f"{document.place(where)}: tests are not read from {name}; name a .yaml, .json, .jsonl or .csv file, or name the "
            "data under 'examples' itself"
        )
    return path if path.is_absolute() else document.path.parent / path


def _expanded(test: Mapping[str, Any], common: Mapping[str, Any], place: str, folder: Path) -> Iterator[Row]:
    """The rows of one test: several where a variable is a list."""
    variables = {**_vars(common, place), **_vars(test, place)}
    asserts = [*_asserts(common, place), *_asserts(test, place)]
    variables = {name: _text(value, f"{place}, vars.{name}", folder) for name, value in variables.items()}
    options = {**(common.get("options") or {}), **(test.get("options") or {})}
    lists = {} if options.get("disableVarExpansion") else {n: v for n, v in variables.items() if _is_choice(v)}
    kept = {name: test[name] for name in ("description", "metadata") if name in test}
    for chosen in product(*lists.values()):
        put = dict(zip(lists, chosen, strict=True))
        said = f" ({', '.join(f'{name}={value}' for name, value in put.items())})" if put else ""
        yield Row(place + said, "", {"vars": {**variables, **put}, "assert": asserts, **kept})


def _is_choice(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, str | int | float) for one in value)


def _vars(test: Mapping[str, Any], place: str) -> Mapping[str, Any]:
    variables = test.get("vars") or {}
    if not isinstance(variables, Mapping):
        raise TaskError(f"{place}: 'vars' is {variables!r}; write the variables themselves, such as vars: {{question: ...}}")
    return variables


def _asserts(test: Mapping[str, Any], place: str) -> list[Any]:
    asserts = test.get("assert") or []
    if not isinstance(asserts, list) or not all(isinstance(one, Mapping) and "type" in one for one in asserts):
        raise TaskError(f"{place}: 'assert' is a list such as [{{type: equals, value: ...}}]")
    return asserts


def _text(value: Any, place: str, folder: Path) -> Any:
    """A variable's value; of a text file that it names, the text."""
    if not isinstance(value, str) or not value.startswith(FILE):
        return value
    path = path_of(value.removeprefix(FILE), folder)
    if path.suffix.lower() not in TEXTS:
        raise TaskError(f"{place}: {value} is not read; name a text file ({' or '.join(TEXTS)}), or write the text itself")
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise TaskError(f"{place}: {path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
