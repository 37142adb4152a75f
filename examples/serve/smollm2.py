"""Replicas on Ray: the built-in model behind one OpenAI-compatible address, without a GPU.

    pip install "metaspo[local]" "ray[serve]"
    serve run --app-dir examples/serve smollm2:app
    metaspo optimize --base server:smollm2,base_url=http://127.0.0.1:8000/v1,constrain=grammar

Each of the two replicas is an actor with a llama.cpp server of its own, on any node of the cluster; Ray Serve hands
each request to the one with fewer under way.
"""

import httpx
from fastapi import FastAPI, Request, Response
from ray import serve

from metaspo import ModelSpec
from metaspo.models.local import LocalModel

api = FastAPI()


@serve.deployment(num_replicas=2, max_ongoing_requests=2, ray_actor_options={"num_cpus": 1})
@serve.ingress(api)
class SmolLM2:
    """One replica."""

    async def __init__(self) -> None:
        """Load the model; a replica gets requests once that is done."""
        self.model = await LocalModel.start(ModelSpec.parse("local:smollm2,threads=1"))
        self.server = httpx.AsyncClient(base_url=self.model.base_url, timeout=120)

    @api.api_route("/v1/{path:path}", methods=["GET", "POST"])
    async def forward(self, path: str, request: Request) -> Response:
        """Hand a request to llama.cpp's server, which speaks OpenAI's API."""
        headers = {"Content-Type": "application/json"}
        reply = await self.server.request(request.method, f"/{path}", content=await request.body(), headers=headers)
        return Response(reply.content, reply.status_code, media_type=reply.headers["Content-Type"])


app = SmolLM2.bind()
