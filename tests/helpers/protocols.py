"""Real HTTP servers on loopback that speak the protocols of Anthropic, Gemini, Ollama and Azure, and misbehave on demand."""

import json
from typing import Any, ClassVar

from aiohttp import web

from .endpoint import Act, Body, Endpoint, fail, say

MALFORMED = '{"type": "mess'


class Protocol(Endpoint):
    """One of them; `says` and `fails` are a reply and an error as its endpoint writes them."""

    provider = name = key = ""
    settings: ClassVar[dict[str, Any]] = {}

    def __init__(self, act: Act | None = None) -> None:
        super().__init__(act or (lambda request, body, number: self.says("yes")))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def spec(self, **settings: Any) -> dict[str, Any]:
        own = {"provider": self.provider, "name": self.name, "base_url": self.url, "patience": 20, "timeout": 5}
        return own | self.settings | settings

    def says(self, text: str, finish: str = "stop", **more: Any) -> web.StreamResponse:
        raise NotImplementedError

    def fails(self, status: int, message: str, **headers: str) -> web.Response:
        raise NotImplementedError

    @staticmethod
    def system(body: Body) -> str:
        raise NotImplementedError

    @staticmethod
    def length(body: Body) -> Any:
        raise NotImplementedError


class Anthropic(Protocol):
    path = "/v1/messages"
    provider, name, key = "anthropic", "claude-test-1", "ANTHROPIC_API_KEY"
    ENDS: ClassVar = {"stop": "end_turn", "length": "max_tokens", "refusal": "refusal"}

    def says(
        self, text: str, finish: str = "stop", *, thought: str = "", cached: int = 0, usage: bool = True, **more: Any
    ) -> web.Response:
        thinking = [{"type": "thinking", "thinking": thought, "signature": "c2ln"}] if thought else []
        content = [*thinking, *([{"type": "text", "text": text}] if text else [])]
        counts = {"input_tokens": 10 - cached, "output_tokens": 2, "cache_read_input_tokens": cached} if usage else {}
        own = {"id": "msg_1", "type": "message", "role": "assistant", "model": self.name, "stop_sequence": None}
        return web.json_response(own | {"content": content, "stop_reason": self.ENDS[finish], "usage": counts} | more)

    def fails(self, status: int, message: str, **headers: str) -> web.Response:
        kinds = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error", 529: "overloaded_error"}
        error = {"type": kinds.get(status, "invalid_request_error" if status < 500 else "api_error"), "message": message}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.json_response({"type": "error", "error": error}, status=status, headers=named)

    @staticmethod
    def system(body: Body) -> str:
        return str(body["system"])

    @staticmethod
    def length(body: Body) -> Any:
        return body["max_tokens"]


class Gemini(Protocol):
    path = "/{version}/models/{call}"
    provider, name, key = "google_genai", "gemini-test-1", "GOOGLE_API_KEY"
    ENDS: ClassVar = {"stop": "STOP", "length": "MAX_TOKENS", "refusal": "SAFETY"}

    def says(
        self, text: str, finish: str = "stop", *, thought: str = "", cached: int = 0, usage: bool = True, **more: Any
    ) -> web.Response:
        thinking = [{"text": thought, "thought": True}] if thought else []
        parts = [*thinking, *([{"text": text}] if text else [])]
        counts: Body = {"promptTokenCount": 10, "candidatesTokenCount": 2, "totalTokenCount": 12}
        if cached:
            counts["cachedContentTokenCount"] = cached
        content = {"role": "model", **({"parts": parts} if parts else {})}
        own: Body = {
            "candidates": [{"content": content, "finishReason": self.ENDS[finish], "index": 0}],
            "modelVersion": self.name,
        }
        return web.json_response(own | ({"usageMetadata": counts} if usage else {}) | more)

    def fails(self, status: int, message: str, **headers: str) -> web.Response:
        kinds = {
            400: "INVALID_ARGUMENT",
            401: "UNAUTHENTICATED",
            404: "NOT_FOUND",
            429: "RESOURCE_EXHAUSTED",
            503: "UNAVAILABLE",
        }
        error: Body = {"code": status, "message": message, "status": kinds.get(status, "INTERNAL")}
        if wait := headers.get("retry_after"):
            error["details"] = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{wait}s"}]
        return web.json_response({"error": error}, status=status)

    @staticmethod
    def system(body: Body) -> str:
        return str(body["systemInstruction"]["parts"][0]["text"])

    @staticmethod
    def length(body: Body) -> Any:
        return body["generationConfig"]["maxOutputTokens"]


class Ollama(Protocol):
    path = "/api/chat"
    provider, name = "ollama", "llama-test:1b"

    def says(
        self, text: str, finish: str = "stop", *, thought: str = "", usage: bool = True, done: bool = True, **more: Any
    ) -> web.Response:
        own = {"model": self.name, "created_at": "2026-01-01T00:00:00Z"}
        spoken = [{**({"thinking": thought} if thought else {}), "role": "assistant", "content": ""}]
        spoken += [{"role": "assistant", "content": part} for part in (text[: len(text) // 2], text[len(text) // 2 :]) if part]
        lines: list[Body] = [own | {"message": one, "done": False} for one in spoken]
        if done:
            counts = {"prompt_eval_count": 10, "eval_count": 2} if usage else {}
            end = {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": finish}
            lines.append(own | end | counts | more)
        return self.lines(lines)

    @staticmethod
    def lines(lines: list[Body]) -> web.Response:
        text = "".join(f"{json.dumps(line)}\n" for line in lines)
        return web.Response(text=text, content_type="application/x-ndjson")

    def fails(self, status: int, message: str, **headers: str) -> web.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.json_response({"error": message}, status=status, headers=named)

    @staticmethod
    def system(body: Body) -> str:
        return str(next(one["content"] for one in body["messages"] if one["role"] == "system"))

    @staticmethod
    def length(body: Body) -> Any:
        return body["options"]["num_predict"]


class Azure(Protocol):
    path = "/openai/deployments/{name}/chat/completions"
    provider, name, key = "azure_openai", "gpt-4o", "AZURE_OPENAI_API_KEY"
    settings: ClassVar = {"options": {"azure_deployment": "mine", "api_version": "2024-10-21"}}
    ENDS: ClassVar = {"stop": "stop", "length": "length", "refusal": "content_filter"}

    def says(self, text: str, finish: str = "stop", **more: Any) -> web.Response:
        return say(text, self.ENDS[finish])

    def fails(self, status: int, message: str, **headers: str) -> web.Response:
        return fail(status, message, **headers)

    @staticmethod
    def system(body: Body) -> str:
        return str(body["messages"][0]["content"])

    @staticmethod
    def length(body: Body) -> Any:
        return body.get("max_tokens") or body["max_completion_tokens"]


PROTOCOLS: tuple[type[Protocol], ...] = (Anthropic, Gemini, Ollama, Azure)
