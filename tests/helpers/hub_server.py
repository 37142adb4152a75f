"""A real HTTP server on loopback that speaks as much of the Hugging Face hub's interface as loading a data set takes."""

import hashlib
from typing import Any

from aiohttp import web

from .endpoint import Endpoint


def commit_of(files: dict[str, bytes]) -> str:
    return hashlib.sha1(repr(sorted(files.items())).encode()).hexdigest()


class Hub(Endpoint):
    """The server: one data set, whose commits are made by `commit`; `seen_paths` says what was asked of it."""

    def __init__(self, name: str = "someone/tickets") -> None:
        self.name = name
        self.commits: dict[str, dict[str, bytes]] = {}
        self.branches: dict[str, str] = {}
        self.asked: list[str] = []
        self.gone = False
        super().__init__()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def commit(self, files: dict[str, bytes], branch: str = "main") -> str:
        self.branches[branch] = commit_of(files)
        self.commits[self.branches[branch]] = files
        return self.branches[branch]

    def routes(self, app: web.Application) -> None:
        app.router.add_get("/api/datasets/{owner}/{name}", self._info)
        app.router.add_get("/api/datasets/{owner}/{name}/revision/{revision}", self._info)
        app.router.add_post("/api/datasets/{owner}/{name}/paths-info/{revision}", self._paths)
        app.router.add_get("/api/datasets/{owner}/{name}/tree/{revision}", self._tree)
        app.router.add_get("/api/datasets/{owner}/{name}/tree/{revision}/{folder:.*}", self._tree)
        app.router.add_get("/datasets/{owner}/{name}/resolve/{revision}/{path:.*}", self._file)

    def _commit(self, request: web.Request) -> tuple[str, dict[str, bytes]]:
        self.asked.append(request.path)
        given = request.match_info
        if self.gone:
            raise web.HTTPServiceUnavailable
        if f"{given['owner']}/{given['name']}" != self.name:
            raise web.HTTPNotFound(headers={"X-Error-Code": "RepoNotFound", "X-Error-Message": "Repository not found"})
        revision = given.get("revision", "main")
        commit = self.branches.get(revision, revision)
        if commit not in self.commits:
            raise web.HTTPNotFound(headers={"X-Error-Code": "RevisionNotFound", "X-Error-Message": "Invalid rev id"})
        return commit, self.commits[commit]

    async def _info(self, request: web.Request) -> web.StreamResponse:
        commit, files = self._commit(request)
        told = {"_id": "1", "id": self.name, "sha": commit, "private": False, "disabled": False, "gated": False, "tags": [],
                "downloads": 0, "likes": 0, "siblings": [{"rfilename": name} for name in files]}  # fmt: skip
        return web.json_response(told)

    def _entries(self, files: dict[str, bytes]) -> list[dict[str, Any]]:
        folders = {name.rpartition("/")[0] for name in files if "/" in name}
        made = [
            {"type": "directory", "oid": hashlib.sha1(name.encode()).hexdigest(), "size": 0, "path": name} for name in folders
        ]
        return made + [
            {"type": "file", "oid": hashlib.sha1(text).hexdigest(), "size": len(text), "path": name}
            for name, text in files.items()
        ]

    async def _paths(self, request: web.Request) -> web.StreamResponse:
        _, files = self._commit(request)
        wanted = (await request.post()).getall("paths", []) if request.content_type != "application/json" else []
        wanted = wanted or (await request.json()).get("paths", [])
        return web.json_response([entry for entry in self._entries(files) if entry["path"] in wanted])

    async def _tree(self, request: web.Request) -> web.StreamResponse:
        _, files = self._commit(request)
        inside = request.match_info.get("folder", "")
        entries = [entry for entry in self._entries(files) if not inside or entry["path"].startswith(inside + "/")]
        if request.query.get("recursive", "false").lower() == "false":
            entries = [one for one in entries if one["path"].removeprefix(inside).strip("/").count("/") == 0]
        return web.json_response(entries)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        commit, files = self._commit(request)
        text = files.get(request.match_info["path"])
        headers = {"X-Repo-Commit": commit}
        if text is None:
            return web.json_response(
                {"error": "Entry not found"}, status=404, headers={**headers, "X-Error-Code": "EntryNotFound"}
            )
        return web.Response(body=text, headers={**headers, "ETag": f'"{hashlib.sha1(text).hexdigest()}"'})
