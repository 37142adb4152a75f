"""How a chat model of LangChain's is made: its key, its address, its package, its connections."""

import asyncio
import gc
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from langchain.chat_models import base
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import RunnableLambda
from pydantic import SecretStr

from metaspo.domain.calls import Request
from metaspo.domain.errors import ModelError
from metaspo.models.provider_opening import open_chat
from metaspo.models.provider_places import PLACES
from metaspo.models.providers import ProviderModel
from metaspo.models.registry import registry
from metaspo.models.spec import ModelSpec

from ..helpers.protocols import PROTOCOLS, Anthropic, Azure, Gemini, Ollama, Protocol
from .test_ledger import Desk
from .test_pacing import desk, opened

__all__ = ["desk"]

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


@pytest.mark.long
async def test_only_the_key_of_the_spec_is_sent(served: Protocol, monkeypatch: pytest.MonkeyPatch) -> None:
    others = ("LANGSMITH_GATEWAY_API_KEY", "LANGSMITH_API_KEY", "AZURE_OPENAI_AD_TOKEN", "AZURE_OPENAI_API_KEY")
    for name in ("OLLAMA_API_KEY", "ANTHROPIC_AUTH_TOKEN", "GEMINI_API_KEY", "OPENAI_API_KEY", *others):
        monkeypatch.setenv(name, KEY)
    monkeypatch.setenv("LANGSMITH_GATEWAY", "true")
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", f"X-Account: {KEY}")
    monkeypatch.setenv("OPENAI_ORG_ID", KEY)
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", f"X-Account: {KEY}")
    monkeypatch.setenv("MY_ENDPOINT", OTHER)
    await ask(served.spec(api_key_env="MY_ENDPOINT"))
    sent = str(served.headers[0])
    assert OTHER in sent and KEY not in sent


class Watching(BaseCallbackHandler):
    def __init__(self) -> None:
        self.told: list[str] = []

    def on_chat_model_start(self, serialized: Any, messages: Any, **more: Any) -> None:
        self.told.append(f"{serialized} {more}")


async def test_no_key_is_in_what_traces_are_told(served: Protocol, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_ENDPOINT", OTHER)
    watching = Watching()
    spec = served.spec(api_key_env="MY_ENDPOINT")
    await RunnableLambda(lambda _: None, afunc=lambda _: ask(spec)).ainvoke({}, {"callbacks": [watching]})
    assert len(watching.told) == 1 and OTHER not in watching.told[0]
    assert OTHER in str(served.headers[0])


@pytest.mark.parametrize("served", (Anthropic, Ollama, Azure), indirect=True)  # Google's client asks the environment itself
async def test_no_proxy_comes_between_us_and_this_machine(served: Protocol, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    await ask(served.spec())


async def test_what_anthropic_says_is_left_is_heard_through_its_own_package(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(Anthropic.key, KEY)
    arrived: list[float] = []

    def act(request: Any, body: Any, number: int) -> Any:
        arrived.append(clock.now)
        if number > 1:
            return server.says("yes")
        reset = (datetime.now(UTC) + timedelta(seconds=360)).isoformat()
        said = {"anthropic_ratelimit_requests_remaining": "0", "anthropic_ratelimit_requests_reset": reset}
        return server.fails(429, "slower", **said)

    server = Anthropic(act)
    try:
        clock = await opened(desk, server, patience=1000)
        await desk.ask()
    finally:
        server.close()
    assert len(arrived) == 2 and arrived[1] >= 350


@pytest.mark.long
def test_a_backend_outlives_no_event_loop(served: Protocol) -> None:
    for _ in range(3):
        asyncio.run(ask(served.spec()))
    gc.collect()
    assert len(served.seen) == 3


def test_no_gateway_comes_between_us_and_a_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGSMITH_GATEWAY", "true")
    monkeypatch.setenv("LANGSMITH_GATEWAY_API_KEY", OTHER)
    for provider, field in {"anthropic": "anthropic_api_url", "google_genai": "base_url"}.items():
        place = PLACES[provider]
        monkeypatch.setenv(place.keys[0], KEY)
        chat, _ = open_chat(ModelSpec.parse(f"{provider}:m"))
        assert getattr(chat, field) == place.home and OTHER not in str(chat.model_dump())


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
        ("ollama:m,options.num_ctx=many", "cannot be opened: num_ctx: 'many' is no whole number"),
        ("azure_openai:m,base_url=http://127.0.0.1:9", "cannot be opened: .*api_version"),
        ("google_genai:m,options.top_k=-1", r"cannot be opened: .*top_k must be positive"),
    ],
)
def test_what_cannot_be_made_is_one_sentence(spec: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AZURE_OPENAI_API_KEY", "GOOGLE_API_KEY"):
        monkeypatch.setenv(name, KEY)
    for name in ("OPENAI_API_VERSION", "GROQ_API_KEY"):  # a package that is missing is said before its key
        monkeypatch.delenv(name, raising=False)
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


class ChatBrand(BaseChatModel):
    """A provider's class that calls everything otherwise, and takes a temperature beside a request alone."""

    model: str
    brand_api_key: SecretStr
    brand_api_base: str
    max_new_tokens: int = 1
    max_retries: int = 9

    @property
    def _llm_type(self) -> str:
        return "brand"

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **given: Any) -> ChatResult:
        told = [self.brand_api_base, self.brand_api_key.get_secret_value()[:2], self.max_new_tokens, self.max_retries, given]
        return ChatResult(generations=[ChatGeneration(message=AIMessage(str(told)))])


class ChatClosed(ChatBrand):
    """One that finds its endpoint and its credentials itself."""

    brand_api_key: ClassVar[SecretStr] = SecretStr("")  # type: ignore[misc]
    brand_api_base: ClassVar[str] = ""  # type: ignore[misc]


@pytest.fixture
def brand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "_import_module", lambda module, name: sys.modules[__name__])
    for name in ("ChatBrand", "ChatClosed"):
        monkeypatch.setitem(base._BUILTIN_PROVIDERS, name.lower(), ("any", name, base._call))
    monkeypatch.setenv("MINE", KEY)


async def test_a_class_that_calls_everything_otherwise_is_made_too(brand: None) -> None:
    spec = ModelSpec.parse("chatbrand:m,base_url=http://127.0.0.1:9,api_key_env=MINE,seed=3")
    reply = await ProviderModel(spec).complete(Request((("user", "hi"),), 5, 0.5))
    assert reply.text == str(["http://127.0.0.1:9", "qx", 5, 0, {"temperature": 0.5}])


@pytest.mark.parametrize("setting", ["base_url=http://127.0.0.1:9", "api_key_env=MINE"])
def test_what_a_class_has_no_place_for_is_no_setting_of_it(brand: None, setting: str) -> None:
    with pytest.raises(ModelError, match=f"chatclosed:m takes no {setting.partition('=')[0]}: ChatClosed finds its"):
        open_chat(ModelSpec.parse(f"chatclosed:m,{setting}"))
