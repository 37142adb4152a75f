"""How a chat model of LangChain's is made: its key, its address, its package, its connections."""

import asyncio
import gc
from collections.abc import Iterator
from typing import Any

import pytest

from metaspo.domain.calls import Request
from metaspo.domain.errors import ModelError
from metaspo.models.provider_opening import open_chat
from metaspo.models.registry import registry
from metaspo.models.spec import ModelSpec

from ..helpers.protocols import PROTOCOLS, Anthropic, Azure, Gemini, Ollama, Protocol

pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")

KEY, OTHER = "qx7-5up3r-9f2c81d7e6", "zz9-0th3r-1a2b3c4d5e"


@pytest.fixture(params=PROTOCOLS, ids=lambda kind: kind.provider)
def served(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Protocol]:
    if request.param.key:
        monkeypatch.setenv(request.param.key, KEY)
    server = request.param()
    yield server
    server.close()


async def ask(spec: Any) -> None:
    async with registry().used():
        model = await registry().model(ModelSpec.parse(spec))
        assert (await model.backend.complete(Request((("user", "hi"),), 5, 0.0))).text == "yes"


async def test_only_the_key_of_the_spec_is_sent(served: Protocol, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OLLAMA_API_KEY", "ANTHROPIC_AUTH_TOKEN", "GEMINI_API_KEY", "OPENAI_API_KEY", "LANGSMITH_GATEWAY_API_KEY"):
        monkeypatch.setenv(name, KEY)
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", f"X-Account: {KEY}")
    monkeypatch.setenv("OPENAI_ORG_ID", KEY)
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", f"X-Account: {KEY}")
    monkeypatch.setenv("MY_ENDPOINT", OTHER)
    await ask(served.spec(api_key_env="MY_ENDPOINT"))
    sent = str(served.headers[0])
    assert OTHER in sent and KEY not in sent


@pytest.mark.parametrize("served", (Anthropic, Ollama, Azure), indirect=True)  # Google's client asks the environment itself
async def test_no_proxy_comes_between_us_and_this_machine(served: Protocol, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    await ask(served.spec())


def test_a_backend_outlives_no_event_loop(served: Protocol) -> None:
    for _ in range(3):
        asyncio.run(ask(served.spec()))
    gc.collect()
    assert len(served.seen) == 3


@pytest.mark.parametrize("end", ["", "/", "/v1"])
async def test_claudes_address_may_end_with_the_version(end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    server = Anthropic()
    await ask(server.spec(base_url=server.url + end))
    server.close()


@pytest.mark.parametrize("end", ["", "/", "/v1", "/v1beta"])
async def test_geminis_address_may_end_with_the_version(end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", KEY)
    server = Gemini()
    await ask(server.spec(base_url=server.url + end))
    server.close()


async def test_azures_address_may_hold_the_deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
    server = Azure()
    url = f"{server.url}/openai/deployments/mine"
    await ask(server.spec(base_url=url, options={"api_version": "2024-10-21"}))
    await ask(server.spec(options={"api_version": "2024-10-21"}))  # the deployment is called as the model is
    server.close()


async def test_the_environment_may_say_where_a_provider_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", KEY)
    for kind, name in ((Gemini, "GOOGLE_GEMINI_BASE_URL"), (Ollama, "OLLAMA_HOST")):
        server = kind()
        monkeypatch.setenv(name, server.url.removeprefix("http://") if kind is Ollama else server.url)
        await ask({"provider": kind.provider, "name": kind.name})
        assert len(server.seen) == 1
        server.close()


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("groq:m", "groq:m needs the package langchain-groq: pip install langchain-groq"),
        ("bedrock_converse:a.b-v1:0,options.region_name=x", "needs the package langchain-aws: pip install langchain-aws"),
        ("azure_ai:m", "needs the package langchain-azure-ai: pip install langchain-azure-ai"),
        ("ollama:m,options.num_ctxt=3", "ChatOllama knows no option 'num_ctxt'; did you mean num_ctx?"),
        ("ollama:m,options.num_ctx=many", "cannot be opened: num_ctx: Input should be a valid integer"),
        ("azure_openai:m,base_url=http://127.0.0.1:9", "cannot be opened: .*api_version"),
        ("google_genai:m,options.top_p=7", r"cannot be opened: .*top_p must be in the range \[0.0, 1.0\]"),
    ],
)
def test_what_cannot_be_made_is_one_sentence(spec: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GROQ_API_KEY", "AZURE_OPENAI_API_KEY", "GOOGLE_API_KEY"):
        monkeypatch.setenv(name, KEY)
    monkeypatch.delenv("OPENAI_API_VERSION", raising=False)
    with pytest.raises(ModelError, match=says) as caught:
        open_chat(ModelSpec.parse(spec))
    assert "\n" not in str(caught.value) and KEY not in str(caught.value)


def test_a_package_that_is_broken_is_not_called_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("GROQ_API_KEY", KEY)
    (tmp_path / "langchain_groq.py").write_text("import a_dependency_that_is_gone")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        ModelError, match="cannot be loaded: No module named 'a_dependency_that_is_gone'; pip install -U langchain-groq"
    ):
        open_chat(ModelSpec.parse("groq:m"))
