"""A real HTTP server with OpenAI's interfaces for files, batches and chat, that is slow, forgetful and dies on demand."""

import asyncio
import json
import random
import re
import threading
import time
from typing import Any
from uuid import uuid4

from aiohttp import web

from .endpoint import Act, Body, Endpoint, completion


class BatchHost(Endpoint):
    """An endpoint whose batches are worked on when `work` is called, or after `looks` looks at each.

    `answer` gives the body of a reply to a request's body; whatever else is to become of a batch its attributes say.
    """

    def __init__(self, answer: Any = None, *, looks: int = 1, act: Act | None = None) -> None:
        self.answer = answer or (lambda body: completion("yes"))
        self.looks = looks
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, Body] = {}
        self.lines: list[str] = []
        """The custom ids of every request in every batch that was begun, in order."""
        self.begun = 0
        self.has_begun = threading.Event()
        self.lose_create = 0
        """How many answers to the creation of a batch get lost, after the batch was begun."""
        self.end_as = "completed"
        self.leave_out: Any = lambda key, number: False
        """Whether a request of the batch of this number is not answered."""
        self.refuse: Any = lambda body: None
        """The status and the error of a request that fails, or None."""
        self.shuffle = True
        self.when_begun = self.when_looked_at = self.when_downloaded = lambda: None
        """Called at these moments, before the answer."""
        self.requests: list[tuple[str, str]] = []
        super().__init__(act)

    def routes(self, app: web.Application) -> None:
        app.router.add_post("/v1/files", self._upload)
        app.router.add_get("/v1/files/{file}/content", self._download)
        app.router.add_post("/v1/batches", self._create)
        app.router.add_get("/v1/batches", self._all)
        app.router.add_get("/v1/batches/{batch}", self._retrieve)

    async def _upload(self, request: web.Request) -> web.Response:
        self.requests.append(("POST", "files"))
        form = await request.post()
        assert form["purpose"] == "batch"
        file: Any = form["file"]
        id = f"file-{uuid4().hex[:8]}"
        self.files[id] = file.file.read()
        return web.json_response(self._file(id, file.filename))

    def _file(self, id: str, name: str) -> Body:
        size = len(self.files[id])
        return {
            "id": id,
            "object": "file",
            "bytes": size,
            "created_at": 1,
            "filename": name,
            "purpose": "batch",
            "status": "processed",
        }

    async def _download(self, request: web.Request) -> web.Response:
        await asyncio.to_thread(self.when_downloaded)
        return web.Response(body=self.files[request.match_info["file"]], content_type="application/octet-stream")

    async def _create(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(("POST", "batches"))
        body = await request.json()
        answer = self.act(request, body, self.begun + 1)
        if isinstance(answer, web.Response) and answer.status >= 400:
            return answer
        self.begun += 1
        self.has_begun.set()
        id = f"batch_{uuid4().hex[:8]}"
        asked = [json.loads(line) for line in self.files[body["input_file_id"]].splitlines()]
        assert all(re.fullmatch(r"[0-9a-f]{64}", line["custom_id"]) and line["url"] == body["endpoint"] for line in asked)
        self.lines += [line["custom_id"] for line in asked]
        self.seen += [line["body"] for line in asked]
        counts = {"total": len(asked), "completed": 0, "failed": 0}
        self.batches[id] = {
            "id": id, "object": "batch", "endpoint": body["endpoint"], "input_file_id": body["input_file_id"],
            "completion_window": "24h", "status": "in_progress", "created_at": int(time.time()), "metadata": body.get("metadata"),
            "request_counts": counts, "asked": asked, "number": self.begun, "looks": 0, "errors": None,
            "output_file_id": None, "error_file_id": None,
        }  # fmt: skip
        await asyncio.to_thread(self.when_begun)
        if self.lose_create:
            self.lose_create -= 1
            assert request.transport is not None
            request.transport.abort()
        return web.json_response(self._shown(id))

    def _shown(self, id: str) -> Body:
        return {name: value for name, value in self.batches[id].items() if name not in ("asked", "number", "looks")}

    async def _all(self, request: web.Request) -> web.Response:
        self.requests.append(("GET", "batches"))
        data = [self._shown(id) for id in reversed(self.batches)]
        return web.json_response({"object": "list", "data": data, "has_more": False})

    async def _retrieve(self, request: web.Request) -> web.Response:
        batch = self.batches.get(request.match_info["batch"])
        if batch is None:
            return web.json_response({"error": {"message": "No batch found", "type": "invalid_request_error"}}, status=404)
        await asyncio.to_thread(self.when_looked_at)
        batch["looks"] += 1
        if batch["looks"] > self.looks and batch["status"] == "in_progress":
            self.work(batch["id"])
        return web.json_response(self._shown(batch["id"]))

    def work(self, id: str) -> None:
        """Answer a batch, in any order, and end it."""
        batch = self.batches[id]
        out, wrong = [], []
        for line in batch["asked"]:
            key = line["custom_id"]
            if self.end_as == "failed" or self.leave_out(key, batch["number"]):
                continue
            refused = self.refuse(line["body"])
            if refused is not None:
                status, error = refused
                wrong.append(self._line(key, status, {"error": error}))
            else:
                out.append(self._line(key, 200, self.answer(line["body"])))
        batch["status"] = self.end_as
        if self.end_as == "failed":
            batch["errors"] = {"object": "list", "data": [{"code": "model_not_found", "message": "The model does not exist"}]}
        for name, lines in (("output_file_id", out), ("error_file_id", wrong)):
            if lines:
                if self.shuffle:
                    random.Random(batch["number"]).shuffle(lines)
                file = f"file-{uuid4().hex[:8]}"
                self.files[file] = "\n".join(json.dumps(line) for line in lines).encode()
                batch[name] = file
        batch["request_counts"] |= {"completed": len(out), "failed": len(wrong)}

    def _line(self, key: str, status: int, body: Body) -> Body:
        response = {"status_code": status, "request_id": uuid4().hex, "body": body}
        return {"id": f"batch_req_{uuid4().hex[:8]}", "custom_id": key, "response": response, "error": None}
