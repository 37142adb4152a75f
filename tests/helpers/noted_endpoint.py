"""A model behind real HTTP that is `uneven`, and notes what it is asked and which of its replies nobody was there for."""

import asyncio
import json
from collections import Counter
from typing import Any

from aiohttp import web

from metaspo.domain.calls import Request

from .endpoint import Body, Endpoint, say
from .scripts import uneven


class NotedEndpoint(Endpoint):
    """`asked` and `unheard` count requests by what they say; every reply takes `delay` seconds."""

    def __init__(self, delay: float = 0.02) -> None:
        self.delay = delay
        self.asked: Counter[str] = Counter()
        self.unheard: Counter[str] = Counter()
        super().__init__(self._uneven)

    async def _uneven(self, request: web.Request, body: Body, number: int) -> web.Response:
        said = json.dumps(body["messages"])
        self.asked[said] += 1
        await asyncio.sleep(self.delay)
        if request.transport is None or request.transport.is_closing():
            self.unheard[said] += 1
        messages = tuple((message["role"], message["content"]) for message in body["messages"])
        return say(uneven(Request(messages, 100, 0.0)))

    def model(self, **settings: Any) -> dict[str, Any]:
        """The model as a study's config names it."""
        return self.spec(temperature=0, concurrency=3, **settings)
