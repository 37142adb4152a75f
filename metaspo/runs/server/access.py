"""Who may use a served process: whoever has its token, or, where it has none, this machine; and which web pages may."""

import hmac
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, NamedTuple

from ...domain.errors import ConfigError
from ...workspace.serving import TRUST

TOKEN, ORIGINS = "METASPO_SERVE_TOKEN", "METASPO_SERVE_ORIGINS"
"""The environment variables that say who may use a server."""

STUDIO = ("https://smith.langchain.com", "https://eu.smith.langchain.com")
"""Where LangGraph Studio's page comes from."""

_THIS_MACHINE = r"(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?"
LOCAL_HOST = re.compile(_THIS_MACHINE, re.IGNORECASE)
LOCAL_ORIGIN = rf"https?://{_THIS_MACHINE}"
"""The origins of pages that this machine serves itself, such as a notebook or an app in development."""

_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(?::\d{1,5})?|https?://\[[0-9a-f:]+\](?::\d{1,5})?")

NO_TOKEN = "this server asks for its token: send it as 'Authorization: Bearer TOKEN' or as 'x-api-key: TOKEN'"

OPEN = "/ok"
"""The one address that needs no token: whether the server is up, for a container's health check."""

CLOSED = re.compile(r"/(deploy|internal)(/.*)?")
"""What the development server adds for its authors: emptying the database, showing it raw, deploying the folder."""


class Refusal(NamedTuple):
    """An HTTP status and what is wrong, in words."""

    status: int
    said: str


@dataclass(frozen=True)
class Access:
    """Who may use a server: its one token, if it has one; further origins of web pages; whether it trusts its clients."""

    token: str | None = None
    origins: tuple[str, ...] = ()
    trusting: bool = False

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Access":
        """As environment variables say it; raises ConfigError for a token or an origin that could never match."""
        token = environment.get(TOKEN)
        if token is not None and not re.fullmatch(r"[!-~]+", token):
            raise ConfigError(
                f"{TOKEN} is empty, or holds a space or a letter that no HTTP header carries: write one word of ASCII into it, "
                'such as python -c "import secrets; print(secrets.token_urlsafe())" makes, or unset it'
            )
        origins = tuple(one.rstrip("/").lower() for one in re.split(r"[,\s]+", environment.get(ORIGINS, "")) if one)
        wrong = next((one for one in origins if not _ORIGIN.fullmatch(one)), None)
        if wrong:
            raise ConfigError(f"{ORIGINS}: {wrong!r} is no origin; write one such as https://app.example.org, without a path")
        return cls(token, origins, environment.get(TRUST, "").strip() == "1")

    @property
    def pages(self) -> tuple[str, ...]:
        """The origins that are let in, beside those of this machine."""
        return (*STUDIO, *self.origins)

    def lets_in(self, origin: str) -> bool:
        """Whether pages of an origin may use the server."""
        return origin.lower() in self.pages or bool(re.fullmatch(LOCAL_ORIGIN, origin, re.IGNORECASE))

    def has_token(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Whether the headers of a request carry the token: `Authorization: Bearer TOKEN` or `x-api-key: TOKEN`."""
        if self.token is None:
            return False
        given = [_bearer(value) if name == b"authorization" else value for name, value in headers if name in _CARRIES]
        # Every one is compared, and each in the same time, so that an answer's time tells nothing.
        return any([hmac.compare_digest(one, self.token.encode()) for one in given])


_CARRIES = (b"authorization", b"x-api-key")


def _bearer(value: bytes) -> bytes:
    scheme, _, token = value.partition(b" ")
    return token.strip() if scheme.lower() == b"bearer" else b""


def access() -> Access:
    """Who may use a server of this process."""
    return Access.of(os.environ)


def within_process(scope: Mapping[str, Any]) -> bool:
    """Whether a request comes from the server's own client, which has no network in between.

    No request from outside can set the path that an application is mounted under.
    """
    root = scope.get("root_path") or ""
    return bool(root == "/noauth" or root.startswith("/noauth/"))


def refused_asker(given: Access, scope: Mapping[str, Any]) -> Refusal | None:
    """Why a request, or a WebSocket, is not answered where it comes from; None where it may go on to the token's check."""
    if within_process(scope):
        return None
    return _from_a_page(given, scope) or (_from_elsewhere(given, scope) if path_within(scope) != OPEN else None)


def without_token(given: Access, scope: Mapping[str, Any]) -> Refusal | None:
    """Why a request is not answered without the token that it lacks; None where there is none, and for the health check."""
    if given.token is None or within_process(scope) or path_within(scope) == OPEN or given.has_token(scope["headers"]):
        return None
    return Refusal(401, NO_TOKEN)


def refused_route(given: Access, scope: Mapping[str, Any]) -> Refusal | None:
    """Why a route is not there for any client; None for the others."""
    path = path_within(scope)
    # Routes are matched up to a line break at their end, which whoever compares paths does not expect.
    if not path.isprintable():
        return Refusal(400, "an address holds no line break and nothing else that cannot be seen")
    if CLOSED.fullmatch(path):
        return Refusal(403, "this server does not deploy, and does not empty or show its database")
    return None


def path_within(scope: Mapping[str, Any]) -> str:
    """The path of a request without the prefix that the server is mounted under."""
    return str(scope["path"]).removeprefix(scope.get("root_path") or "")


def _from_a_page(given: Access, scope: Mapping[str, Any]) -> Refusal | None:
    """Refuses what a browser sends for a page of another site: those requests say the page's origin, or that it is another."""
    for origin in _values(scope, b"origin"):
        if not given.lets_in(origin):
            return Refusal(
                403,
                f"pages of {origin!r} may not use this server; Studio's and those of this machine may, "
                f"and the origins in the variable {ORIGINS}",
            )
    site, mode = _values(scope, b"sec-fetch-site"), _values(scope, b"sec-fetch-mode")
    # A person may follow a link to the server's documentation; an image or a script of another site may not.
    if "cross-site" in site and "navigate" not in mode and not _values(scope, b"origin"):
        return Refusal(403, "a page of another site may not load anything from this server")
    return None


def _from_elsewhere(given: Access, scope: Mapping[str, Any]) -> Refusal | None:
    """Refuses other machines, and other names of this one, where no token says who asks."""
    here = _is_loopback(scope.get("server")) and (scope.get("client") is None or _is_loopback(scope["client"]))
    here = here and all(map(is_loopback, _passed_on_for(scope)))
    if given.trusting and not here:
        return Refusal(403, f"this server trusts its clients ({TRUST}=1), so that it answers on this machine alone")
    if given.token is not None:
        return None
    if not here:
        return Refusal(403, f"this server has no login, so that it answers on this machine alone; give it a token in {TOKEN}")
    hosts = [*_values(scope, b"host"), *_values(scope, b"x-forwarded-host")]
    # A page whose name was pointed at 127.0.0.1 comes with that name as its host.
    if not hosts or not all(LOCAL_HOST.fullmatch(host) for host in hosts):
        return Refusal(
            403,
            f"this server has no login, so that it answers as localhost or 127.0.0.1 alone, not as {', '.join(hosts)!r}; "
            f"give it a token in {TOKEN}",
        )
    return None


def _passed_on_for(scope: Mapping[str, Any]) -> Iterator[str]:
    """From where requests come, as a proxy on this machine says it in one of the headers for that."""
    for name in (b"x-forwarded-for", b"x-real-ip"):
        for value in _values(scope, name):
            yield from (_address(one) for one in value.split(","))
    for value in _values(scope, b"forwarded"):
        yield from (_address(one) for one in re.findall(r"(?i)\bfor\s*=\s*([^;,\s]+)", value))


def _address(written: str) -> str:
    """A host without its port, quotes and brackets."""
    found = re.fullmatch(r"\[(.+)\](?::\d+)?|([^:]+)(?::\d+)?", told := written.strip().strip('"'))
    return (found[1] or found[2]) if found else told


def _values(scope: Mapping[str, Any], name: bytes) -> list[str]:
    return [value.decode("latin-1").strip() for key, value in scope["headers"] if key == name]


def _is_loopback(address: tuple[str, int] | None) -> bool:
    return address is not None and is_loopback(address[0])


def is_loopback(host: str) -> bool:
    """Whether a host that a server listens on, by name or number, is reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        number = ip_address(host)
    except ValueError:
        return False
    return bool((getattr(number, "ipv4_mapped", None) or number).is_loopback)
