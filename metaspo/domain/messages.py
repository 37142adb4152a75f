"""Chat messages: a role, and text or whatever is more than text, in the form of OpenAI's chat API."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

STORED = "sha256:"
"""What the reference to an image in the store begins with; the sha256 of its bytes in hexadecimal follows."""

SHOWN = len(STORED) + 16
"""Characters of such a reference that stand for it in a text."""


@dataclass(frozen=True, slots=True)
class Fields:
    """All that a message holds beside its role, as canonical JSON.

    `content` is text, None, or a list of parts, each `{"type": "text", "text": ...}` or `{"type": "image_url", "image_url":
    {"url": ...}}`; `tool_calls`, `tool_call_id` and `name` stand beside it. The url of an image of the store is its reference.
    """

    json: str

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> "Fields":
        """The same fields are the same value, whatever their order."""
        return cls(json.dumps(fields, sort_keys=True, ensure_ascii=False, separators=(",", ":")))

    @property
    def value(self) -> dict[str, Any]:
        """The fields as plain data."""
        found: dict[str, Any] = json.loads(self.json)
        return found

    @property
    def parts(self) -> list[dict[str, Any]]:
        """The content as parts."""
        content = self.value.get("content")
        return content if isinstance(content, list) else [{"type": "text", "text": content}] if content else []

    @property
    def text(self) -> str:
        """The fields as a person reads them: a mark in the place of each image, and tool calls by name and arguments."""
        called = [call["function"] for call in self.value.get("tool_calls") or ()]
        calls = [f"[calls {one['name']}({one.get('arguments', '')})]" for one in called]
        return "\n".join([*map(_shown, self.parts), *calls])


Content = str | Fields
Message = tuple[str, Content]
"""Role and content. What is text alone is a string."""


def text_of(content: Content) -> str:
    """What a message says, as text."""
    return content if isinstance(content, str) else content.text


def message_of(data: Mapping[str, Any]) -> Message:
    """A message from OpenAI's form of it."""
    fields = {name: value for name, value in data.items() if name != "role"}
    content = fields.get("content")
    return data["role"], content if isinstance(content, str) and len(fields) == 1 else Fields.of(fields)


def as_data(message: Message) -> dict[str, Any]:
    """A message in OpenAI's form."""
    role, content = message
    return {"role": role, "content": content} if isinstance(content, str) else {"role": role, **content.value}


def wrapped(head: str, content: Content, tail: str = "") -> Content:
    """A message between two texts: they join its first and its last text, so that images stay where they are."""
    if isinstance(content, str):
        return f"{head}{content}{tail}"
    fields = content.value
    if isinstance(fields.get("content"), str):
        return Fields.of(fields | {"content": f"{head}{fields['content']}{tail}"})
    parts = content.parts
    texts = [part for part in parts if part["type"] == "text"]
    if not texts:
        texts = [{"type": "text", "text": ""}]
        parts = [*texts, *parts]
    texts[0]["text"] = head + texts[0]["text"]
    texts[-1]["text"] += tail
    return Fields.of(fields | {"content": parts})


def with_more_images(content: Content, urls: Sequence[str]) -> Content:
    """A message with images after all that it holds."""
    if not urls:
        return content
    fields = Fields.of({"content": content}) if isinstance(content, str) else content
    more = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    return Fields.of(fields.value | {"content": [*fields.parts, *more]})


def image_urls(messages: Iterable[Message]) -> list[str]:
    """Where the images of messages are, in order: addresses, and references to the store."""
    return [image["url"] for _, content in messages if isinstance(content, Fields) for image in _images(content.parts)]


def stored_images(messages: Iterable[Message]) -> list[str]:
    """The hashes of the store's images in messages, each once."""
    return list(dict.fromkeys(url[len(STORED) :] for url in image_urls(messages) if url.startswith(STORED)))


def with_images(messages: Sequence[Message], urls: Mapping[str, str]) -> tuple[Message, ...]:
    """Messages with the addresses of their images in the place of references; `urls` has them by hash."""
    return tuple((role, _filled(content, urls) if isinstance(content, Fields) else content) for role, content in messages)


def _filled(content: Fields, urls: Mapping[str, str]) -> Fields:
    parts = content.parts
    for image in _images(parts):
        image["url"] = urls.get(image["url"].removeprefix(STORED), image["url"])
    return Fields.of(content.value | {"content": parts}) if any(_images(parts)) else content


def _images(parts: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    return (part["image_url"] for part in parts if part["type"] == "image_url")


def _shown(part: Mapping[str, Any]) -> str:
    if part["type"] != "image_url":
        return str(part["text"])
    url = part["image_url"]["url"]
    return "[image]" if url.startswith("data:") else f"[image {url[:SHOWN] if url.startswith(STORED) else url}]"


def as_text(messages: Sequence[Message]) -> str:
    """A conversation as a person reads it; one user's only turn without its role."""
    if [role for role, _ in messages] == ["user"]:
        return text_of(messages[0][1])
    return "\n\n".join(f"{role}: {text_of(content)}" for role, content in messages)
