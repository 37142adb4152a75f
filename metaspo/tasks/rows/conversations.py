"""A question that is a list of messages: read into OpenAI's form, in whatever form people keep it, and checked."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from ...domain.errors import TaskError
from ...domain.messages import Content, Fields, Message, text_of, with_more_images
from .message_forms import opened_messages

ROLES = {
    "user": "user", "human": "user", "assistant": "assistant", "ai": "assistant", "gpt": "assistant", "model": "assistant",
    "chatbot": "assistant",
    "system": "system", "developer": "system", "tool": "tool", "function": "tool", "observation": "tool",
}  # fmt: skip
"""What OpenAI, ShareGPT, LangChain, Gemini and Cohere call who speaks."""

WANTED = '{"role": "user", "content": "..."}'
TEXTS = ("text", "input_text", "output_text")
IMAGES = ("image", "image_url", "input_image")
"""What the parts of a message are called."""

MARK = "<image>"
"""What stands in a text for one of the images that its row names beside it."""

ShownImage = Callable[[Any, str], str]
"""The address, or the reference, of an image as a row holds it; the text begins what is said of a mistake."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """The messages of a question: they end in a turn of the user's or of a tool, and `gold` is what was answered there."""

    messages: tuple[Message, ...]
    gold: str | None = None


def is_conversation(value: Any) -> bool:
    """Whether a value of a row is meant as messages: a list that holds a mapping, or nothing."""
    return isinstance(value, list | tuple) and (not value or any(isinstance(one, Mapping) for one in value))


def conversation(value: Sequence[Any], where: str, shown: ShownImage, images: Sequence[str] = ()) -> Conversation:
    """The conversation in a row.

    The assistant's turns at its end are what is to be answered, and are cut off. `images` are those that the row names
    beside the messages: they go to the parts that are images and name none, and after those to the last user turn.
    Raises TaskError, which `where` begins, with the number of the message.
    """
    reading = _Reading(where, shown, list(images))
    opened = [*opened_messages(value)]
    messages = [reading.message(number, one) for number, one in opened]
    places = [f"{where}, message {number}" for number, _ in opened]
    end = len(messages)
    while end and messages[end - 1][0] == "assistant":
        end -= 1
    gold = text_of(messages[-1][1]) if end < len(messages) and isinstance(messages[-1][1], str) else None
    messages = _paired(messages[:end], places, where)
    users = [at for at, (role, _) in enumerate(messages) if role == "user"]
    if not users:
        raise TaskError(f"{where}: the conversation has no user turn to answer; add {WANTED}, or remove the row")
    role, content = messages[users[-1]]
    messages[users[-1]] = role, with_more_images(content, reading.images)
    if not text_of(messages[users[-1]][1]).strip():
        raise TaskError(f"{places[users[-1]]}: the last user turn is empty; fill it in or remove the row")
    return Conversation(tuple(messages), gold or None)


def placed(text: str, urls: Sequence[str]) -> tuple[Content, list[str]]:
    """A text with images where it says `<image>`, as data sets of images do, and the images that are left."""
    pieces = text.split(MARK)
    places = min(len(pieces) - 1, len(urls))
    if not places:
        return text, list(urls)
    pieces[places:] = [MARK.join(pieces[places:])]
    parts: list[dict[str, Any]] = []
    for at, piece in enumerate(pieces):
        parts += [{"type": "image_url", "image_url": {"url": urls[at - 1]}}] if at else []
        parts += [{"type": "text", "text": piece.strip("\n")}] if piece.strip() else []
    return Fields.of({"content": parts}), list(urls[places:])


@dataclass
class _Reading:
    """The messages of one row, read in order; `images` are left for parts that name none."""

    where: str
    shown: ShownImage
    images: list[str]
    _calls: int = field(default=0, init=False)
    _at: str = field(default="", init=False)

    def message(self, number: int, one: Any) -> Message:
        self._at = f"{self.where}, message {number}"
        if not isinstance(one, Mapping):
            self._fail(f"is {_kind(one)}, not a message; write {WANTED}")
        said = next((one[name] for name in ("role", "from", "type") if one.get(name)), None)
        role = ROLES.get(str(said).strip().lower())
        if role is None:
            told = "it has no role" if said is None else f"the role {str(said)[:40]!r} is unknown"
            self._fail(f"{told}; write user, assistant, system or tool")
        calls = [self._call(call) for call in self._listed(one.get("tool_calls"), role)]
        content = self._content(next((one[name] for name in ("content", "value") if one.get(name) is not None), None), calls)
        if role == "system" and not isinstance(content, str):
            self._fail("an image is in a system message; put it into a turn of the user's")
        fields: dict[str, Any] = {"content": content} | ({"tool_calls": calls} if calls else {})
        if role == "tool":
            fields["tool_call_id"] = str(one.get("tool_call_id") or "")
        elif isinstance(one.get("name"), str) and one["name"]:
            fields["name"] = one["name"]
        return role, content if isinstance(content, str) and len(fields) == 1 else Fields.of(fields)

    def _content(self, content: Any, calls: Sequence[Any]) -> str | list[dict[str, Any]] | None:
        if calls and content in (None, "", []):
            return None
        if isinstance(content, str):
            put, self.images = placed(content, self.images)
            return put if isinstance(put, str) else put.parts
        if content is None:
            self._fail("its content is null; write text, or remove the message")
        if not isinstance(content, list | tuple):
            self._fail(f"its content is {_kind(content)}, neither text nor a list of parts; write {WANTED}")
        parts = [self._part(part) for part in content]
        if not parts or all(part["type"] == "text" for part in parts):
            return "\n".join(part["text"] for part in parts)
        return parts

    def _part(self, part: Any) -> dict[str, Any]:
        if isinstance(part, str):
            return {"type": "text", "text": part}
        kind = part.get("type") if isinstance(part, Mapping) else _kind(part)
        if kind is None and isinstance(part, Mapping) and set(part) == {"text"}:
            kind = "text"  # As Gemini and Bedrock write it.
        if isinstance(part, Mapping) and kind in TEXTS and isinstance(part.get("text"), str):
            return {"type": "text", "text": part["text"]}
        if not isinstance(part, Mapping) or kind not in IMAGES:
            form = '{"type": "text", "text": "..."} or {"type": "image_url", "image_url": {"url": "..."}}'
            self._fail(f"a part of type {kind!r} is neither text nor an image; write {form}")
        held = part.get("image_url") if kind != "image" else None
        detail = held.get("detail") if isinstance(held, Mapping) else part.get("detail")
        image = {"url": self._image(part, held)} | ({"detail": detail} if detail else {})
        return {"type": "image_url", "image_url": image}

    def _image(self, part: Mapping[str, Any], held: Any) -> str:
        """Where the image of a part is: OpenAI, LangChain, Anthropic and Hugging Face each write it in another way."""
        source = part.get("source")
        source = source if isinstance(source, Mapping) else {}
        if held is None:
            held = next((part[name] for name in ("path", "image", "url", "bytes") if part.get(name) is not None), None)
        encoded = source.get("data") or part.get("base64") or part.get("data")
        if held is None and encoded:
            held = f"data:;base64,{encoded}"
        held = source.get("url") if held is None else held
        if held is None and not source and self.images:
            return self.images.pop(0)
        return self.shown(held, self._at)

    def _listed(self, calls: Any, role: str) -> Sequence[Any]:
        if calls and (role != "assistant" or not isinstance(calls, list | tuple)):
            self._fail(f"tool_calls is {_kind(calls)} in a message of the role {role}; write a list, in one of the assistant's")
        return calls or ()

    def _call(self, call: Any) -> dict[str, Any]:
        function = call.get("function", call) if isinstance(call, Mapping) else None
        name = function.get("name") if isinstance(function, Mapping) else None
        if not isinstance(function, Mapping) or not isinstance(name, str):
            form = '{"id": "...", "type": "function", "function": {"name": "...", "arguments": "{}"}}'
            self._fail(f"a tool call names no function; write {form}")
        arguments: Any = next((function[key] for key in ("arguments", "args") if function.get(key) is not None), {})
        self._calls += 1
        return {
            "id": str(call.get("id") or f"call_{self._calls}"),
            "type": "function",
            "function": {
                "name": name,
                "arguments": arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False),
            },
        }

    def _fail(self, said: str) -> NoReturn:
        raise TaskError(f"{self._at}: {said}")


def _paired(messages: Sequence[Message], places: Sequence[str], where: str) -> list[Message]:
    """The messages, where every result of a tool follows its call and every call has one: endpoints refuse all else."""
    waiting: list[str] = []
    found = []
    for at, (role, content) in zip(places, messages, strict=False):
        if role == "tool":
            assert isinstance(content, Fields)
            own = content.value["tool_call_id"] or (waiting[0] if waiting else "")
            if own not in waiting:
                raise TaskError(
                    f"{at}: the result of the tool call {own!r} follows no such call of the assistant; add tool_calls to the "
                    "assistant's message before it, or remove this one"
                )
            waiting.remove(own)
            content = Fields.of(content.value | {"tool_call_id": own})
        elif waiting:
            raise TaskError(
                f"{at}: the tool call {waiting[0]!r} before it has no result; add a message with the role tool and this "
                "tool_call_id, or remove the call"
            )
        if role == "assistant" and isinstance(content, Fields):
            waiting = [call["id"] for call in content.value.get("tool_calls") or ()]
        found.append((role, content))
    if waiting:
        raise TaskError(f"{where}: the tool call {waiting[0]!r} has no result; add a message with the role tool, or remove it")
    return found


def _kind(value: Any) -> str:
    return "null" if value is None else type(value).__name__
