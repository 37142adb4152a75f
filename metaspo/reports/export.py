"""The prompts of a run in the forms that other programs read."""

import json
from dataclasses import asdict
from typing import Any

from langchain_core.load import dumps
from langchain_core.prompts import ChatPromptTemplate

from ..domain.errors import ConfigError
from ..domain.prompts import QUESTION
from .report import Report

FORMS = ("json", "text", "messages", "langchain")


def export(report: Report, form: str, task: str | None = None) -> str:
    """The best prompts so far as text in one of `FORMS`.

    "json" is everything, "text" the system prompt alone, "messages" OpenAI chat messages with
    `{question}` in place, "langchain" a serialized ChatPromptTemplate for `langchain_core.load.loads`.
    """
    if form == "json":
        return json.dumps(as_data(report), ensure_ascii=False, indent=2)
    if form == "text":
        return report.system_after
    user = _user_prompt(report, task)
    if form == "messages":
        pair = [{"role": "system", "content": report.system_after}, {"role": "user", "content": user}]
        return json.dumps(pair, ensure_ascii=False, indent=2)
    return str(dumps(chat_template(report, task), pretty=True))


def chat_template(report: Report, task: str | None = None) -> ChatPromptTemplate:
    """A LangChain prompt template with one variable, `question`; braces in the prompts are content."""
    head, _, tail = _user_prompt(report, task).partition(QUESTION)
    user = f"{literal(head)}{QUESTION}{literal(tail)}"
    return ChatPromptTemplate([("system", literal(report.system_after)), ("user", user)])


def as_data(report: Report) -> dict[str, Any]:
    """A report as plain data."""
    data = asdict(report)
    data.pop("texts")
    data["run"] = {"id": report.run.id, "status": report.run.status, "reason": report.run.reason, "method": report.run.method,
                   "seconds": report.run.seconds, "created": report.run.created, "version": report.run.version}  # fmt: skip
    return data


def _user_prompt(report: Report, task: str | None) -> str:
    names = list(report.user_after)
    if task is None and len(names) == 1:
        task = names[0]
    if task not in report.user_after:
        wrong = "which task's user prompt?" if task is None else f"the run has no source task {task!r};"
        raise ConfigError(f"{wrong} --task takes one of: {', '.join(names)}")
    return report.user_after[task][0]


def literal(text: str) -> str:
    """A text in which a template of LangChain's takes every brace for content."""
    return text.replace("{", "{{").replace("}", "}}")
