"""The same server with prompts: repositories of commits with tags, as LangSmith's client asks for them."""

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from aiohttp import web

from .langsmith_server import LangSmith

HANDLE = re.compile(r"[a-z][a-z0-9_-]*")


class LangSmithWithPrompts(LangSmith):
    """Prompts by name, each a list of commits from the oldest on, and tags by name. `refuses` may answer instead."""

    def __init__(self) -> None:
        self.commits: dict[str, list[dict[str, Any]]] = {}
        self.commit_tags: dict[str, dict[str, str]] = {}
        self.repos: dict[str, dict[str, Any]] = {}
        self.written: list[str] = []
        super().__init__()

    def routes(self, app: web.Application) -> None:
        super().routes(app)
        for method, path, handler in (
            ("GET", "/settings", self._settings),
            ("POST", "/repos", self._create),
            ("GET", "/repos/-/{name}", self._repo),
            ("POST", "/repos/-/{name}/tags", self._tag),
            ("PATCH", "/repos/-/{name}/tags/{tag}", self._move),
            ("GET", "/commits/-/{name}", self._list_commits),
            ("POST", "/commits/-/{name}", self._commit),
            ("GET", "/commits/-/{name}/{version}", self._commit_of),
        ):
            app.router.add_route(method, path, self._guarded(handler))

    def _guarded(self, handler: Callable[[web.Request], Any]) -> Callable[[web.Request], Any]:
        async def guarded(request: web.Request) -> web.StreamResponse:
            refused = self._refusal(request)
            if refused is not None:
                return await refused if hasattr(refused, "__await__") else refused
            if request.method != "GET":
                self.written.append(f"{request.method} {request.path}")
            return await handler(request)

        return guarded

    async def _settings(self, request: web.Request) -> web.Response:
        about = {"id": str(UUID(int=9)), "display_name": "W", "created_at": "2024-05-01T00:00:00+00:00", "tenant_handle": None}
        return web.json_response(about)

    async def _create(self, request: web.Request) -> web.Response:
        body = await request.json()
        name = body["repo_handle"]
        if not HANDLE.fullmatch(name):
            return web.json_response({"detail": f"{name} is no handle"}, status=422)
        if name in self.repos:
            return web.json_response({"detail": "exists"}, status=409)
        self.repos[name] = {
            **body, "id": str(uuid4()), "tenant_id": str(UUID(int=9)), "created_at": "2024-05-01T00:00:00+00:00",
            "updated_at": "2024-05-01T00:00:00+00:00", "is_archived": False, "owner": None, "full_name": name,
            "num_likes": 0, "num_downloads": 0, "num_views": 0, "num_commits": 0,
        }  # fmt: skip
        self.commits[name], self.commit_tags[name] = [], {}
        return web.json_response({"repo": self.repos[name]})

    async def _repo(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in self.repos:
            return web.json_response({"error": "Repository not found"}, status=404)
        return web.json_response({"repo": self.repos[name]})

    async def _tag(self, request: web.Request) -> web.Response:
        body, tags = await request.json(), self.commit_tags[request.match_info["name"]]
        if body["tag_name"] in tags:
            return web.json_response({"error": "Tag already exists"}, status=409)
        tags[body["tag_name"]] = body["commit_id"]
        return web.json_response(body)

    async def _move(self, request: web.Request) -> web.Response:
        body, tags = await request.json(), self.commit_tags[request.match_info["name"]]
        if request.match_info["tag"] not in tags:
            return web.json_response({"error": "no such tag"}, status=404)
        tags[request.match_info["tag"]] = body["commit_id"]
        return web.json_response(body)

    async def _list_commits(self, request: web.Request) -> web.Response:
        every = self.commits.get(request.match_info["name"], [])[::-1]
        offset, limit = int(request.query.get("offset", 0)), int(request.query.get("limit", 20))
        listed = [{key: value for key, value in one.items() if key != "manifest"} for one in every[offset : offset + limit]]
        return web.json_response({"commits": listed, "total": len(every)})

    async def _commit(self, request: web.Request) -> web.Response:
        body, there = await request.json(), self.commits[request.match_info["name"]]
        assert body["parent_commit"] == (there[-1]["commit_hash"] if there else None)
        if there and there[-1]["manifest"] == body["manifest"]:
            error = {"error": "Nothing to commit: prompt has not changed since latest commit"}
            return web.json_response(error, status=409)
        hash = hashlib.sha256(json.dumps([body, len(there)]).encode()).hexdigest()
        there.append(
            {"id": str(uuid4()), "commit_hash": hash, "manifest": body["manifest"], "description": body.get("description")}
        )
        return web.json_response({"commit": there[-1]})

    async def _commit_of(self, request: web.Request) -> web.Response:
        name, version = request.match_info["name"], request.match_info["version"]
        there = self.commits.get(name, [])
        id = self.commit_tags.get(name, {}).get(version)
        found = [one for one in there if one["id"] == id or one["commit_hash"].startswith(version)]
        found = there[-1:] if version == "latest" else found
        if not found:
            return web.json_response({"error": "Commit not found"}, status=404)
        return web.json_response({"commit_hash": found[0]["commit_hash"], "manifest": found[0]["manifest"], "examples": []})
