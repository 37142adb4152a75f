"""OpenAI's batch interface, which others copy: a file of requests goes up, a file of replies comes down."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar

from openai import AsyncOpenAI, NotFoundError
from openai.types import Batch

from ..domain.calls import Reply, Request
from .batch import GONE, Look
from .error_words import shown, words
from .faults import Fault, classify, fault_of_payload, fault_of_status
from .openai_compatible import OpenAICompatible

Found = TypeVar("Found")

CHAT: Final = "/v1/chat/completions"
NAME = "metaspo"
"""Under which a batch's metadata hold our id of it."""

UPLOAD = 900.0
"""Seconds that a file may take up or down."""


class BatchEndpoint:
    """The batches of one OpenAI-compatible endpoint. Every method raises a `Fault` when the endpoint does not do as asked."""

    def __init__(self, chat: OpenAICompatible) -> None:
        """Reach the endpoint through the client that single requests would take."""
        self._chat = chat

    @property
    def _client(self) -> AsyncOpenAI:
        return self._chat.client

    def line(self, key: str, request: Request) -> bytes:
        """A request as a line of a batch's file, named by the key of its call."""
        line = {"custom_id": key, "method": "POST", "url": CHAT, "body": self._chat.payload(request)}
        return json.dumps(line, ensure_ascii=False).encode("utf-8", "replace") + b"\n"

    async def send(self, id: str, lines: list[bytes]) -> str:
        """Have the requests worked on; the endpoint's name for the batch. `id` is ours, for `found`."""
        file = (f"{NAME}-{id}.jsonl", b"".join(lines), "application/jsonl")
        uploaded = await _asked(lambda: self._client.files.create(file=file, purpose="batch", timeout=UPLOAD))
        made = await _asked(
            lambda: self._client.batches.create(
                input_file_id=uploaded.id, endpoint=CHAT, completion_window="24h", metadata={NAME: id}
            )
        )
        return made.id

    async def found(self, id: str) -> str | None:
        """The endpoint's name for the batch that `send` may have begun under our `id`, None where there is none."""

        async def search() -> str | None:
            async for batch in self._client.batches.list(limit=100):
                if isinstance(batch.metadata, Mapping) and batch.metadata.get(NAME) == id:
                    return str(batch.id)
            return None

        return await _asked(search)

    async def look(self, batch: str) -> Look:
        """Where a batch stands; gone where the endpoint knows none of this name."""

        async def retrieve() -> Batch | None:
            try:
                return await self._client.batches.retrieve(batch)
            except NotFoundError:
                return None

        if (found := await _asked(retrieve)) is None:
            return Look(GONE)
        counts = found.request_counts
        files = tuple(name for name in (found.output_file_id, found.error_file_id) if name)
        said = "; ".join(words(error.model_dump()) for error in (found.errors.data or ())) if found.errors else ""
        return Look(str(found.status), counts.completed + counts.failed if counts else 0, files, shown(said))

    async def replies(self, look: Look, asked: Mapping[str, Request]) -> dict[str, Reply | Fault]:
        """What came of the requests of a batch that has ended, by the keys of their calls; of some nothing may have come."""
        found: dict[str, Reply | Fault] = {}
        for file in look.files:
            content = await _asked(lambda file=file: self._client.files.content(file, timeout=UPLOAD))  # type: ignore[misc]
            for line in content.content.splitlines():
                if line.strip():
                    self._read(line, asked, found)
        return found

    def _read(self, line: bytes, asked: Mapping[str, Request], found: dict[str, Reply | Fault]) -> None:
        try:
            told = json.loads(line)
            key, response, error = str(told["custom_id"]), told.get("response") or {}, told.get("error")
            status, body = int(response.get("status_code") or 0), response.get("body")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return  # Whose reply this was nobody can tell: that request is asked again.
        if key not in asked or isinstance(found.get(key), Reply):
            return
        try:
            found[key] = (
                self._chat.read(body, asked[key]) if 200 <= status < 300 else self._refused(status, body, error, asked[key])
            )
        except Fault as fault:
            found[key] = fault

    def _refused(self, status: int, body: Any, error: Any, request: Request) -> Fault:
        return self._chat.refused(_fault(status, body, error), body or error, request)


def _fault(status: int, body: Any, error: Any) -> Fault:
    if isinstance(error, dict) and "expired" in str(error.get("code")):
        return Fault("transient", "the batch expired before it was answered")
    said = body.get("error", body) if isinstance(body, dict) else body or error
    if status >= 400:
        return fault_of_status(status, shown(words(said)), str(said.get("code") or "") if isinstance(said, dict) else "")
    return fault_of_payload(said)


async def _asked(ask: Callable[[], Awaitable[Found]]) -> Found:
    try:
        return await ask()
    except Exception as error:
        # Not `from error`: the client's exception may hold the request with its headers.
        raise classify(error) from None
