"""What promptfoo's asserts say of the answer that is right. Pure functions."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

GOLDS = ("expected", "expected_output", "expected_answer", "expectedAnswer", "expectedOutput")
"""Variables that hold the answer that is right, and are no part of the question."""

SAME = ("equals", "contains", "icontains", "starts-with", "similar", "factuality", "model-graded-factuality")
"""Asserts whose value is the answer that is right, the surest first."""

ANY = ("contains-any", "icontains-any")
ALL = ("contains-all", "icontains-all")
OTHER = (
    "regex", "is-json", "contains-json", "is-xml", "contains-xml", "is-sql", "contains-sql", "is-html", "contains-html",
    "is-refusal", "llm-rubric", "grade", "model-graded-closedqa", "answer-relevance", "context-recall", "context-relevance",
    "context-faithfulness", "conversation-relevance", "select-best", "max-score", "g-eval", "pi", "classifier", "moderation",
    "javascript", "fn", "eval", "python", "file", "ruby", "webhook", "cost", "latency", "perplexity", "perplexity-score",
    "levenshtein", "rouge-n", "bleu", "gleu", "meteor", "word-count", "guardrails", "finish-reason", "search-rubric",
    "is-valid-openai-tools-call", "is-valid-openai-function-call", "is-valid-function-call", "tool-call-f1",
)  # fmt: skip
"""Asserts that say nothing of what the answer is."""

KINDS = "|".join(sorted((*SAME, *ANY, *ALL, *OTHER), key=len, reverse=True))
CELL = re.compile(rf"(?P<kind>(?:not-)?(?:{KINDS}))(?:\([^)]*\))?(?::\s*(?P<value>.*))?", re.DOTALL)
VARIABLE = re.compile(r"\{\{-?\s*([\w.-]+)\s*-?\}\}")
TEMPLATE = re.compile(r"\{\{|\{%")


def gold_of(test: Mapping[str, Any]) -> dict[str, Any]:
    """The `answer` or the `answers` that a test's asserts or its variable `expected` give; nothing where that is open."""
    variables: Mapping[str, Any] = test["vars"]
    asserts = [one for one in _flat(test.get("assert") or []) if "value" in one]
    for kind in SAME:
        values = _different([_put(one["value"], variables) for one in asserts if one["type"] == kind])
        if values:
            # Several of them must all hold, and a task has one answer.
            return {"answer": values[0]} if len(values) == 1 and values[0] is not None else {}
    for kind in (*ANY, *ALL):
        lists = [_listed(one["value"], variables) for one in asserts if one["type"] == kind]
        if len(lists) == 1 and lists[0] and (kind in ANY or len(lists[0]) == 1) and None not in lists[0]:
            return {"answers": lists[0]}
    return next(({"answer": variables[name]} for name in GOLDS if variables.get(name) not in (None, "")), {})


def kinds_of(test: Mapping[str, Any]) -> str:
    """The kinds of a test's asserts, for an error."""
    return ", ".join(dict.fromkeys(one["type"] for one in _flat(test.get("assert") or [])))


def of_csv(values: Mapping[str, Any]) -> dict[str, Any]:
    """A row of a table of tests as a test: columns are variables, those that begin with `__` are promptfoo's own."""
    cells = [value for name, value in values.items() if re.fullmatch(r"__expected\d*", str(name))]
    return {
        "vars": {name: value for name, value in values.items() if not str(name).startswith("__")},
        "assert": [_cell(str(cell)) for cell in cells if cell is not None and str(cell).strip()],
    }


def _cell(text: str) -> dict[str, Any]:
    """An assert as a cell has it: `contains: Paris`, `similar(0.8): ...`; text without a kind is to be equalled."""
    found = CELL.fullmatch(text.strip())
    if found is None or (found["value"] is None and found["kind"].removeprefix("not-") not in OTHER):
        return {"type": "equals", "value": text.strip()}
    return {"type": found["kind"]} | ({"value": found["value"].strip()} if found["value"] is not None else {})


def _flat(asserts: Any) -> list[Mapping[str, Any]]:
    flat: list[Mapping[str, Any]] = []
    for one in asserts if isinstance(asserts, Sequence) and not isinstance(asserts, str) else []:
        if isinstance(one, Mapping) and isinstance(one.get("type"), str):
            flat += _flat(one.get("assert") or []) if one["type"] == "assert-set" else [one]
    return flat


def _listed(value: Any, variables: Mapping[str, Any]) -> list[Any]:
    parts = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
    return _different([_put(part, variables) for part in parts]) if isinstance(parts, list) else []


def _different(values: list[Any]) -> list[Any]:
    return [value for at, value in enumerate(values) if value not in values[:at]]


def _put(value: Any, variables: Mapping[str, Any]) -> Any:
    """A value whose `{{names}}` are the test's variables; None for a template that says more than names."""
    if not isinstance(value, str):
        return value
    whole = VARIABLE.fullmatch(value.strip())
    if whole and whole[1] in variables:
        return variables[whole[1]]
    if TEMPLATE.search(VARIABLE.sub(lambda match: "" if match[1] in variables else match[0], value)):
        return None
    return VARIABLE.sub(lambda match: str(variables[match[1]]), value)
