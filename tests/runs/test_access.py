"""Who may use a server, by its environment and by what a request says."""

from typing import Any

import pytest

from metaspo.domain.errors import ConfigError
from metaspo.runs.server.access import Access, is_loopback, refused_asker, without_token

OPEN = Access()


def request(server: str = "127.0.0.1", client: str | None = "127.0.0.1", root: str = "", **headers: str) -> dict[str, Any]:
    given = {"host": "localhost:2024"} | headers
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items()]
    who = (client, 50000) if client else None
    return {"type": "http", "path": "/threads", "server": (server, 2024), "client": who, "root_path": root, "headers": raw}


@pytest.mark.parametrize("token", ["", " ", "two words", "ümlaut", "line\n"])
def test_a_token_that_no_client_could_send_is_refused_rather_than_taken_for_none(token: str) -> None:
    with pytest.raises(ConfigError, match="METASPO_SERVE_TOKEN is empty, or holds a space") as found:
        Access.of({"METASPO_SERVE_TOKEN": token})
    assert token.strip() == "" or token not in str(found.value)


@pytest.mark.parametrize("origin", ["*", "https://*.example.org", "app.example.org", "https://app.example.org/studio", "null"])
def test_an_origin_that_is_none_is_refused(origin: str) -> None:
    with pytest.raises(ConfigError, match="is no origin; write one such as"):
        Access.of({"METASPO_SERVE_ORIGINS": f"https://good.example.org,{origin}"})


def test_further_origins_are_let_in() -> None:
    given = Access.of({"METASPO_SERVE_ORIGINS": "https://smith.example.org/ http://app.example.org:8080"})
    assert given.lets_in("https://smith.example.org") and given.lets_in("http://app.example.org:8080")
    assert not given.lets_in("http://app.example.org") and not OPEN.lets_in("https://smith.example.org")


@pytest.mark.parametrize(
    ("headers", "known"),
    [
        ({"authorization": "Bearer sesame"}, True),
        ({"authorization": "bearer  sesame"}, True),
        ({"x_api_key": "sesame"}, True),
        ({"authorization": "Bearer other", "x_api_key": "sesame"}, True),
        ({"authorization": "sesame"}, False),
        ({"authorization": "Basic sesame"}, False),
        ({"authorization": "Bearer sesam"}, False),
        ({"authorization": "Bearer sesamee"}, False),
        ({"x_api_key": ""}, False),
        ({"x_auth_scheme": "langsmith"}, False),
        ({"cookie": "token=sesame"}, False),
        ({}, False),
    ],
)
def test_the_token_is_sent_in_one_of_two_headers(headers: dict[str, str], known: bool) -> None:
    refused = without_token(Access("sesame"), request(**headers))
    assert (refused is None) == known
    assert refused is None or (refused.status == 401 and "sesame" not in refused.said)


@pytest.mark.parametrize(
    "asked",
    [
        request("192.0.2.7"),
        request("::ffff:192.0.2.7"),
        request("127.0.0.1", "203.0.113.9"),
        request("/run/metaspo.sock"),
        request(host="example.org"),
    ],
)
def test_without_a_token_a_server_answers_on_this_machine_alone(asked: dict[str, Any]) -> None:
    refused = refused_asker(OPEN, asked)
    assert refused and refused.status == 403 and "METASPO_SERVE_TOKEN" in refused.said
    assert refused_asker(Access("sesame"), asked) is None
    assert refused_asker(OPEN, asked | {"path": "/ok"}) is None


@pytest.mark.parametrize("asked", [request(), request("::1", "::1"), request("127.0.0.2"), request("::ffff:127.0.0.1", None)])
def test_this_machine_is_answered(asked: dict[str, Any]) -> None:
    assert refused_asker(OPEN, asked) is None


def test_the_servers_own_client_needs_nothing() -> None:
    own = request("api", None, "/noauth", host="api")
    assert refused_asker(OPEN, own) is None and without_token(Access("sesame"), own) is None
    assert refused_asker(OPEN, {**own, "root_path": "/noauthor"}) is not None


def test_a_server_that_trusts_its_clients_answers_on_this_machine_alone_even_with_a_token() -> None:
    trusting = Access("sesame", trusting=True)
    refused = refused_asker(trusting, request("192.0.2.7", authorization="Bearer sesame"))
    assert refused and "trusts its clients" in refused.said
    assert refused_asker(trusting, request()) is None


def test_hosts_of_this_machine() -> None:
    here = ["localhost", "127.0.0.1", "127.3.2.1", "::1", "::ffff:127.0.0.1"]
    elsewhere = ["0.0.0.0", "::", "192.0.2.7", "example.org", "", "localhost.example.org"]
    assert all(map(is_loopback, here)) and not any(map(is_loopback, elsewhere))
