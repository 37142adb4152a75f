"""YAML that people write: read with line numbers, checked, and complained about with file, line and key."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Self, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, ValidationInfo, model_validator

from ..domain.complaints import Where, complaints
from ..domain.errors import ConfigError, UserError
from ..domain.visible import half_character, visible
from .written import Exact, forms

Model = TypeVar("Model", bound=BaseModel)
CHECKED = {"checked": True}
"""Validation context that says that whoever validates explains the errors, and knows the file."""
DEEPEST = 6
"""How deep lines are noted: below that lie no keys of ours, and aliases may multiply."""


class _Loader(yaml.SafeLoader):
    """YAML 1.2 scalars: `yes` and `no` are labels that people write, `12:30` and `2024-05-06` are text."""


TAG = "tag:yaml.org,2002:"
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in (f"{TAG}bool", f"{TAG}int", f"{TAG}timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(f"{TAG}bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
_Loader.add_implicit_resolver(f"{TAG}int", re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789"))


class Document:
    """A parsed YAML file that remembers on which line each key stands."""

    def __init__(self, path: Path, data: Any, lines: dict[Where, int]) -> None:
        """Wrap parsed `data`; `lines` maps a key path such as ("tasks", 0, "name") to its line."""
        self.path = path
        self.data = data
        self.lines = lines
        self.elsewhere: frozenset[str] = frozenset()

    def without(self, keys: Iterable[str]) -> Self:
        """The same where these keys, dotted as in `budget.calls`, have been set otherwise: they stand on no line."""
        self.elsewhere = frozenset(keys)
        return self

    def place(self, where: Where) -> str:
        """The file and line of a key path, or of the nearest key above it; empty where it stands elsewhere."""
        if any(".".join(map(str, where[: at + 1])) in self.elsewhere for at in range(len(where))):
            return ""
        while where and where not in self.lines:
            where = where[:-1]
        return f"{self.path}:{self.lines.get(where, 1)}"


def read_yaml(path: Path, error: type[UserError]) -> Document:
    """Read a YAML file that holds one mapping; raise `error` when it can't be read."""
    document = read_any_yaml(path, error)
    if not isinstance(document.data, dict):
        found = "nothing" if document.data is None else type(document.data).__name__
        raise error(f"{path}: expected 'key: value' lines, found {found}")
    return document


def read_any_yaml(path: Path, error: type[UserError]) -> Document:
    """Read a YAML file, whatever it holds; raise `error` when it can't be read."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise error(f"{path}: no such file") from None
    except UnicodeDecodeError as problem:
        raise error(f"{path}: not UTF-8 ({problem.reason} at byte {problem.start}); save it as UTF-8") from None
    except (OSError, ValueError) as problem:
        raise error(f"{path}: cannot be read: {getattr(problem, 'strerror', None) or problem}") from None
    lines: dict[Where, int] = {}
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is not None:
            # First, because construction writes merged keys (<<) into the nodes.
            _note_lines(node, (), lines)
        data = loader.construct_document(node) if node else None
    except RecursionError:
        raise error(f"{path}: nested too deeply") from None
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        said = getattr(problem, "problem", None) or getattr(problem, "reason", None) or str(problem)
        raise error(f"{path}{line}: not valid YAML: {said}") from None
    except ValueError as problem:
        raise error(f"{path}: not valid YAML: {problem}") from None
    return Document(path, data, lines)


def _note_lines(node: yaml.Node, where: Where, lines: dict[Where, int]) -> None:
    lines.setdefault(where, node.start_mark.line + 1)
    if len(where) == DEEPEST:
        return
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if (*where, key.value) in lines:
                raise yaml.MarkedYAMLError(problem=f"the key '{key.value}' stands here twice", problem_mark=key.start_mark)
            lines[(*where, key.value)] = key.start_mark.line + 1
            _note_lines(value, (*where, key.value), lines)
    elif isinstance(node, yaml.SequenceNode):
        for position, value in enumerate(node.value):
            _note_lines(value, (*where, position), lines)


def check(model: type[Model], data: Any, error: type[UserError], document: Document | None = None) -> Model:
    """Validate plain data against a pydantic model; raise `error` listing every problem with its place."""
    for where, text in half_characters(data):
        place = document.place(where) if document else ""
        place = place and f"{place}: "
        raise error(f"{place}{'.'.join(map(str, where))}: half of a character (a lone surrogate) in {text!r}; write it again")
    try:
        return model.model_validate(data, context=CHECKED)
    except ValidationError as problem:
        raise explained(model, problem, error, data, document) from None


def half_characters(data: Any, where: Where = ()) -> Iterator[tuple[Where, str]]:
    """The texts in plain data that no file can keep, shortened, and where they stand."""
    if isinstance(data, str):
        start = half_character(data)
        if start is not None:
            yield where, data[max(0, start - 20) : start + 20]
    elif isinstance(data, dict) and len(where) < 2 * DEEPEST:
        for key, value in data.items():
            yield from half_characters(key, where)
            yield from half_characters(value, (*where, visible(str(key))))
    elif isinstance(data, list | tuple) and len(where) < 2 * DEEPEST:
        for position, value in enumerate(data):
            yield from half_characters(value, (*where, position))


def explained(
    model: type[BaseModel], problem: ValidationError, error: type[UserError], data: Any, document: Document | None = None
) -> UserError:
    """The error for people behind pydantic's: every complaint on a line of its own, with its place."""
    found = complaints(problem.errors(include_url=False), data)
    return error("\n".join(_complaint(model, loc, kind, said, document) for loc, kind, said in found))


class Block(Exact):
    """A block that people fill in, in a file, in Python or in a form; mistakes in it are a ConfigError wherever it is read."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="wrap")
    @classmethod
    def _in_words(cls, data: Any, read: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Self:
        try:
            return read(data)
        except ValidationError as problem:
            if info.context == CHECKED:
                raise
            raise explained(cls, problem, ConfigError, data) from None


def _complaint(model: type[BaseModel], loc: Where, kind: str, said: str, document: Document | None) -> str:
    # A complaint about a whole block opens with the key that it is about.
    place = document.place(loc or (said.partition(" ")[0],)) if document else ""
    place = place and f"{place}: "
    key = ".".join(str(part) for part in loc)
    if kind == "extra_forbidden":
        known = _known_keys(model, loc)
        return f"{place}unknown key '{key}'" + (f"; known keys: {', '.join(known)}" if known else "")
    if kind == "missing":
        return f"{place}'{key}' is missing; add it"
    return f"{place}{key}: {said}" if key else f"{place}{said}"


def _known_keys(model: type[BaseModel], loc: Where) -> list[str]:
    """The keys that the block has in which `loc` stands; none where it can't be told."""
    for part in loc[:-1]:
        field = model.model_fields.get(str(part))
        blocks = [kind for kind in forms(field.annotation if field else None) if isinstance(kind, type)]
        blocks = [kind for kind in blocks if issubclass(kind, BaseModel)]
        if len(blocks) != 1:
            return []
        model = blocks[0]
    return [field.alias or name for name, field in model.model_fields.items()]
