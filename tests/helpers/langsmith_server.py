"""A real HTTP server on loopback that speaks as much of LangSmith's interface as reading data sets takes."""

from datetime import datetime
from typing import Any
from uuid import UUID

from aiohttp import web

from .endpoint import Endpoint

KEY = "lsv2_pt_0123456789abcdef0123456789abcdef_0123456789"


def example(number: int, inputs: Any, outputs: Any, **metadata: Any) -> dict[str, Any]:
    return {
        "id": str(UUID(int=number)), "dataset_id": str(UUID(int=1)), "inputs": inputs, "outputs": outputs,
        "metadata": metadata or None, "created_at": "2024-05-01T00:00:00+00:00", "name": f"#{number}",
    }  # fmt: skip


class LangSmith(Endpoint):
    """The server: the versions of one data set by the moment that each begins, each a list of examples."""

    def __init__(self, name: str = "Ticket Routing") -> None:
        self.name = name
        self.versions: dict[str, list[dict[str, Any]]] = {}
        self.tags: dict[str, str] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.keys: list[str] = []
        self.instead: Any = None
        super().__init__()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def routes(self, app: web.Application) -> None:
        app.router.add_get("/datasets", self._datasets)
        app.router.add_get("/datasets/{id}/version", self._version)
        app.router.add_get("/examples", self._examples)

    def _refusal(self, request: web.Request) -> web.Response | None:
        self.asked.append((request.path, dict(request.query)))
        self.keys.append(request.headers.get("x-api-key", ""))
        if self.keys[-1] != KEY:
            return web.json_response({"detail": f"Invalid token {self.keys[-1]}"}, status=401)
        return self.instead(request) if self.instead else None

    async def _datasets(self, request: web.Request) -> web.StreamResponse:
        refused = self._refusal(request)
        if refused is not None:
            return refused
        found = {"id": str(UUID(int=1)), "name": self.name, "created_at": "2024-05-01T00:00:00+00:00", "data_type": "kv"}
        return web.json_response([found] if request.query["name"] == self.name else [])

    async def _version(self, request: web.Request) -> web.StreamResponse:
        refused = self._refusal(request)
        if refused is not None:
            return refused
        tag = request.query["tag"]
        moment = max(self.versions) if tag == "latest" and self.versions else self.tags.get(tag)
        if moment is None:
            return web.json_response({"detail": "Dataset version not found"}, status=404)
        return web.json_response({"tags": [tag], "as_of": moment})

    async def _examples(self, request: web.Request) -> web.StreamResponse:
        refused = self._refusal(request)
        if refused is not None:
            return refused
        asked = request.query.get("as_of")
        until = datetime.fromisoformat(self.tags.get(asked, asked)) if asked else None
        begun = [moment for moment in sorted(self.versions) if until is None or datetime.fromisoformat(moment) <= until]
        examples = self.versions[begun[-1]] if begun else []
        if wanted := request.query.getall("splits", []):
            examples = [one for one in examples if set(wanted) & set((one["metadata"] or {}).get("dataset_split", ["base"]))]
        offset, limit = int(request.query["offset"]), int(request.query["limit"])
        return web.json_response(examples[offset : offset + limit])
