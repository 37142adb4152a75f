"""How traces go out: beside the work, without keys, and at the end of the process for a moment at most."""

import atexit
import json
import logging
import os
import time
from functools import cache
from typing import TYPE_CHECKING, Any

from ...compat import daemon_client, default_trace_client
from ...domain.key_session import key_session
from ...domain.redaction import holds_key, redact, without_keys

if TYPE_CHECKING:
    from langsmith import Client

AT_EXIT = 1.5
"""Seconds at most that a process waits at its end for traces that have not arrived."""

SAID_AGAIN = 600.0
"""Seconds for which a complaint of the tracing library is not repeated."""


@cache
def trace_client() -> "Client":
    """This process's client for traces, with what the environment says of LangSmith.

    It drops what its queue has no room for. LangSmith's own client would keep the process from ending for as long as
    an endpoint takes to refuse, or never answers.
    """
    from langsmith.schemas import LangSmithInfo

    for name in ("langsmith.client", "langsmith._internal._background_thread"):
        logging.getLogger(name).addFilter(_Once())
    # What a server would say of itself is not asked for: the sizes below suit all of them. Compressed traces would go
    # through threads that a process waits for.
    made = daemon_client(info=LangSmithInfo(), anonymizer=_anonymous, session=key_session())
    atexit.register(made.flush, timeout=AT_EXIT)
    return made


def traces_for_all() -> None:
    """Have all that this process traces go out by this client, graphs or not: for processes that are metaspo's own."""
    names = (f"{owner}_TRACING{version}" for owner in ("LANGSMITH", "LANGCHAIN") for version in ("", "_V2"))
    if any(os.environ.get(name) == "true" for name in names):
        from langsmith import configure

        configure(client=trace_client())


def given_by_a_person(client: "Client") -> bool:
    """Whether a client is not the one that LangChain makes where nobody gives it one."""
    return client is not default_trace_client()


def _anonymous(given: dict[str, Any]) -> dict[str, Any]:
    """What is traced without the keys of this process; words of others, as errors are, without what looks like one."""
    if set(given) == {"error"} and isinstance(given["error"], str):
        return {"error": redact(given["error"])}
    text = json.dumps(given, ensure_ascii=False)
    return json.loads(without_keys(text)) if holds_key(text) else given


class _Once(logging.Filter):
    """Lets the library complain of an endpoint once in a while, not with every batch of traces."""

    def __init__(self) -> None:
        super().__init__()
        self._said = float("-inf")

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a complaint is to be heard."""
        now = time.monotonic()
        if record.levelno < logging.WARNING:
            return True
        if "compression" in record.getMessage():
            return False  # That it is off is our choice.
        heard = now - self._said > SAID_AGAIN
        if heard:
            self._said = now
            record.msg, record.args = f"traces are being lost: {redact(record.getMessage())[:300]}", ()
        return heard
