"""A real OpenAI-compatible HTTP server on loopback that misbehaves on demand."""

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any

from aiohttp import web

Body = dict[str, Any]
Act = Callable[[web.Request, Body, int], Any]


def completion(text: str | None, finish: str = "stop") -> Body:
    message = {"role": "assistant", "content": text}
    usage = {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}


def say(text: str | None, finish: str = "stop") -> web.Response:
    return web.json_response(completion(text, finish))


def fail(status: int, message: str = "no", code: str | None = None, **headers: str) -> web.Response:
    error = {"message": message, "type": "t", "code": code}
    return web.json_response({"error": error}, status=status, headers={k.replace("_", "-"): v for k, v in headers.items()})


async def cut_off(request: web.Request) -> web.StreamResponse:
    """Promises more than it sends, then drops the connection."""
    text = json.dumps(completion("yes"))
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(text))})
    await response.prepare(request)
    await response.write(text[: len(text) // 2].encode())
    drop(request)
    return response


def drop(request: web.Request) -> None:
    assert request.transport is not None
    request.transport.abort()


class Endpoint:
    """The server; `act` decides what becomes of each request, `seen` keeps the bodies."""

    path = "/v1/chat/completions"

    def __init__(self, act: Act | None = None, models: list[str] | None = None) -> None:
        self.models = models or []
        self.act: Act = act or (lambda request, body, number: say("yes"))
        self.seen: list[Body] = []
        self.headers: list[dict[str, str]] = []
        self.open = self.most_open = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.port = 0
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def spec(self, **settings: Any) -> dict[str, Any]:
        return {"provider": "server", "name": "m", "base_url": self.url, "patience": 20, "timeout": 5} | settings

    def start(self) -> None:
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result()

    def close(self) -> None:
        self.stop()
        asyncio.run_coroutine_threadsafe(self._cancel_all(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _cancel_all(self) -> None:
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _start(self) -> None:
        app = web.Application(client_max_size=2**28)
        app.router.add_post(self.path, self._answer)
        app.router.add_get("/v1/models", self._list)
        self.routes(app)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    def routes(self, app: web.Application) -> None:
        """What else it serves."""

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": name} for name in self.models]})

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.seen.append(body)
        self.headers.append(dict(request.headers))
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            answer = self.act(request, body, len(self.seen))
            if asyncio.iscoroutine(answer):
                answer = await answer
            return answer if answer is not None else web.Response()
        finally:
            self.open -= 1
