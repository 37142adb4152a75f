"""The client of OpenAI-compatible endpoints: what it sends to whom, and by which way."""

from collections.abc import Iterator
from typing import Any

import pytest

from metaspo.domain.calls import Request
from metaspo.domain.errors import ModelError
from metaspo.models.openai_compatible import OpenAICompatible
from metaspo.models.spec import ModelSpec

from ..helpers.endpoint import Endpoint

REQUEST = Request((("user", "hi"),), 16, 0.0)


@pytest.fixture
def proxy() -> Iterator[Endpoint]:
    server = Endpoint()
    yield server
    server.close()


async def ask(spec: Any) -> Any:
    client = OpenAICompatible(ModelSpec.parse(spec))
    try:
        return await client.complete(REQUEST)
    finally:
        await client.close()


async def test_an_account_at_openai_is_not_shown_to_anybody_else(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_ORG_ID", "OPENAI_ORGANIZATION", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "org-of-mine")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Mine: org-of-mine\nAuthorization: Bearer org-of-mine")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-mine")
    await ask(endpoint.spec())
    assert not [value for value in endpoint.headers[-1].values() if "of-mine" in value]


@pytest.mark.long
@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
async def test_no_proxy_comes_between_us_and_this_machine(
    name: str, endpoint: Endpoint, proxy: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    await ask(endpoint.spec())
    await ask(endpoint.spec(base_url=f"http://localhost:{endpoint.port}/v1"))
    assert (len(endpoint.seen), len(proxy.seen)) == (2, 0)


@pytest.mark.parametrize(
    ("name", "value"), [("OPENAI_PROXY", "nonsense"), ("HTTPS_PROXY", "ftp://x"), ("SSL_CERT_FILE", "/nowhere/ca.pem")]
)
def test_a_broken_way_out_is_one_sentence(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-mine")
    monkeypatch.setenv(name, value)
    with pytest.raises(ModelError, match=name) as raised:
        OpenAICompatible(ModelSpec.parse("openai:m"))
    assert "\n" not in str(raised.value)
