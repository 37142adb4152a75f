"""LangSmith's prompts, through its own client; address and key are in the environment variables that it reads."""

from inspect import signature
from types import TracebackType
from typing import Any, Self
from warnings import catch_warnings, simplefilter

from ...domain.key_session import key_session
from ...domain.redaction import redact
from ...domain.visible import visible
from .registry import Refused, Registry, There
from .templates import chat_template
from .version import PREFIX, Version

TIMEOUT = (10_000, 30_000)
"""Milliseconds to connect in, and to wait for an answer."""

LONGEST = 1000
"""Characters of the description of a commit."""


class LangSmithPrompts(Registry):
    """Prompts of the key's workspace: each version a commit, each pointer a commit tag."""

    lower = True

    def __enter__(self) -> Self:
        """Open the client."""
        from langsmith import Client

        with catch_warnings():
            # Of a key that is missing, the answer of the server tells.
            simplefilter("ignore")
            self._client = Client(timeout_ms=TIMEOUT, auto_batch_tracing=False, session=key_session())
        self.where = f"LangSmith at {redact(self._client.api_url)}"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close its connections."""
        self._client.session.close()

    def known(self, name: str, pointer: str) -> tuple[There, str, str] | None:
        """The commit with a tag."""
        with self.in_words():
            found = self._found(f"/commits/-/{name}/{pointer}")
            if found is None:
                return None
            hash = str(found["commit_hash"])
            written = found["manifest"].get("kwargs", {}).get("metadata") or {}
        return There(f"commit {hash[:8]}", hash), written.get(f"{PREFIX}task", ""), written.get(f"{PREFIX}digest", "")

    def add(self, name: str, version: Version) -> There:
        """Commit to the prompt, which is made if there is none; never a public one."""
        with self.in_words():
            if self._client.get_prompt(name) is None:
                about = f"The user prompt of task {version.task!r}" if version.task else "The system prompt"
                self._client.create_prompt(name, description=f"{about}, found by metaspo", is_public=False)
            says = {"description": version.says[:LONGEST]}
            takes = signature(self._client.create_commit).parameters
            said: Any = says if "description" in takes else {}
            self._client.create_commit(name, chat_template(version), **said)
        known = self.known(name, "latest")
        if known is None or known[2] != version.digest:
            raise Refused(f"{self.where}: somebody else has committed to {name} at the same moment; push again", theirs=False)
        return known[0]

    def point(self, name: str, pointer: str, there: There) -> None:
        """Make the tag, or move it."""
        from langsmith.utils import LangSmithConflictError

        with self.in_words():
            id = next(str(one.id) for one in self._client.list_prompt_commits(name) if one.commit_hash == there.id)
            try:
                self._client.request_with_retries("POST", f"/repos/-/{name}/tags", json={"tag_name": pointer, "commit_id": id})
            except LangSmithConflictError:
                # It stands for another commit, and its own client knows no way to move it.
                self._client.request_with_retries("PATCH", f"/repos/-/{name}/tags/{pointer}", json={"commit_id": id})

    def is_newer(self, name: str, one: There, other: There) -> bool:
        """Commits are listed from the newest on."""
        with self.in_words():
            first = next(found.commit_hash for found in self._client.list_prompt_commits(name)
                         if found.commit_hash in (one.id, other.id))  # fmt: skip
        return first == one.id

    def _found(self, path: str) -> Any:
        """What stands at a path; None where there is nothing."""
        from langsmith.utils import LangSmithNotFoundError

        try:
            return self._client.request_with_retries("GET", path).json()
        except LangSmithNotFoundError:
            return None

    def refused(self, error: Exception) -> Refused:
        """What its client raised, in words and without keys."""
        kind, said = type(error).__name__, redact(str(error))
        if kind in ("LangSmithAuthError", "LangSmithUserError") or "403 Client Error" in said:
            return Refused(
                f"{self.where} does not take the key; set LANGSMITH_API_KEY to one that may write to the workspace's prompts",
                theirs=True,
            )
        if kind in ("KeyError", "TypeError", "AttributeError", "StopIteration", "ValidationError", "JSONDecodeError"):
            return Refused(f"{self.where} does not answer as LangSmith does; check LANGSMITH_ENDPOINT", theirs=False)
        if kind in ("LangSmithConnectionError", "LangSmithRequestTimeout") or "imeout" in kind or "imed out" in said:
            return Refused(
                f"{self.where} can't be reached or is too slow; check LANGSMITH_ENDPOINT and the network", theirs=False
            )
        first = visible(said.strip().split("\n")[0])[:300] or kind
        return Refused(f"{self.where} refuses it: {first}", theirs=False)
