"""A prompt as the template of each registry: the question is its one variable, and everything else stays as it is written."""

import re

from langchain_core.prompts import ChatPromptTemplate

from ...domain.prompts import QUESTION
from ..export import literal
from .version import Version

VARIABLE = re.compile(r"\{\{\s*[a-zA-Z_][\w.]*\s*\}\}")
"""What MLflow takes for a variable."""

PLACE = "{{question}}"
"""The question's place in a template of MLflow's."""


def chat_template(version: Version) -> ChatPromptTemplate:
    """The one message that the prompt is, with its metadata, for LangChain and LangSmith."""
    role = "system" if version.kind == "system" else "user"
    head, place, tail = _parts(version)
    text = f"{literal(head)}{place}{literal(tail)}"
    return ChatPromptTemplate([(role, text)], metadata=dict(version.metadata))


def mlflow_template(version: Version) -> str:
    """The text that MLflow's `format(question=...)` makes the prompt of.

    MLflow knows no way to write two braces that are content but Jinja's. So a prompt that holds what would be
    read as a variable, or as Jinja, is a template of that kind, and others are as plain as they can be.
    """
    head, place, tail = _parts(version)
    plain = f"{head}{PLACE}{tail}" if place else head
    read = VARIABLE.findall(plain) == [PLACE] * bool(place) and plain.find(PLACE) == (len(head) if place else -1)
    if read and not ("{%" in plain and "%}" in plain):
        return plain
    return f"{_raw(head)}{PLACE if place else ''}{_raw(tail)}"


def _parts(version: Version) -> tuple[str, str, str]:
    return version.text.partition(QUESTION) if version.kind == "user" else (version.text, "", "")


def _raw(text: str) -> str:
    """A text that Jinja renders as itself: it would make every end of a line the same, and "endraw" ends what is raw."""
    inner = re.sub(
        r"\r|\{%(?=[-+]?\s*endraw)",
        lambda found: "{% endraw %}{{ " + ('"\\r"' if found[0] == "\r" else '"{%"') + " }}{% raw %}",
        text,
    )
    return f"{{% raw %}}{inner}{{% endraw %}}"
