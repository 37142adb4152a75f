"""One request, asked until there is a reply or an end to it."""

import time
from collections.abc import Awaitable, Callable
from random import uniform

from ..domain.calls import Reply, Request
from ..domain.errors import EndpointUnavailable, ModelError
from .account import Account
from .evidence import Setting
from .faults import Fault
from .spec import ModelSpec

LONGEST_WAIT = 30.0
"""Seconds between two tries at most, unless the endpoint asked for more."""

TRIES = 5
"""Tries that fail, each for itself, before it is asked whether others go through meanwhile."""

FEWEST = 2
"""Tries that a request gets at least before it is set aside, however long one takes."""

FAILING = 0.2
"""The share of other tries that fail from which on a failure says nothing about the request."""


class Asking:
    """The tries at one request, and what follows from them.

    `reply` needs a slot of the endpoint, `verdict` must not hold one: it may wait for other requests.
    """

    def __init__(self, request: Request, spec: ModelSpec, account: Account, setting: Setting) -> None:
        """Nothing has been tried yet."""
        self._request, self._spec, self._account, self._setting = request, spec, account, setting
        self._started = self._last = time.monotonic()
        self._before = setting.answers, setting.failures
        self._tries = 0
        self._fault: Fault | None = None

    async def reply(self, attempt: Callable[[Request, Account], Awaitable[Reply]]) -> Reply | None:
        """The reply, or None when a verdict is needed. Raises what ends the run."""
        tries = 0
        while True:
            self._last = time.monotonic()
            try:
                return await attempt(self._request, self._account)
            except Fault as fault:
                self._fault = fault
                # Patience is with a failing endpoint; to wait for one's turn is no failure.
                self._started += fault.held_back
            if self._fault.kind in ("content_filter", "context_length"):
                return Reply("", self._fault.kind, error=self._fault.message, cost=0.0)
            if self._fault.kind != "transient":
                return None
            self._setting.failures += 1
            self._tries += 1
            tries += not (self._fault.busy or self._fault.unsent)
            if self._account.stopped is not None:
                raise self._account.reason
            if self._impatient or tries >= TRIES:
                return None
            await self._account.sleep(self._pause(self._fault))

    async def verdict(self, witness: Callable[[], Awaitable[bool]]) -> Reply | None:
        """The request set aside, with what was said of it; or None, and it is to be tried again. Raises what ends the run."""
        fault = self._fault
        assert fault is not None
        if fault.kind == "refused":
            if await self._setting.refused_alone(fault, witness):
                return Reply("", "refused", error=fault.message, cost=0.0)
            self._end(ModelError(f"{self._spec.label}: {fault.message}"))
        if fault.kind == "mistake":
            about = f", on {self._request.about}" if self._request.about else ""
            self._end(ModelError(f"{self._spec.label}: {fault.message}{about}"))
        if fault.kind == "transient":
            alone = not fault.unsent and (self._impatient or not self._others_fail)
            if alone and await self._setting.answers_since(self._last, witness):
                if self._tries < FEWEST and self._spec.patience:
                    return None
                said = f"{self._tries} tries failed, the last with: {fault.message}"
                return Reply("", "failed", error=said, cost=0.0)
            if not self._impatient:
                await self._account.sleep(self._pause(fault))
                return None
        lasted = time.monotonic() - self._started
        self._end(EndpointUnavailable(f"{self._spec.label} has failed for {lasted:.0f} s, last with: {fault.message}"))
        return None

    def _end(self, reason: ModelError | EndpointUnavailable) -> None:
        self._account.stop(reason)
        raise self._account.reason

    @property
    def _impatient(self) -> bool:
        return time.monotonic() - self._started >= self._spec.patience

    @property
    def _others_fail(self) -> bool:
        answers, failures = self._before
        failed = self._setting.failures - failures - self._tries
        return failed > FAILING * (failed + self._setting.answers - answers)

    def _pause(self, fault: Fault) -> float:
        pause = uniform(0, min(LONGEST_WAIT, 0.5 * 2 ** min(self._tries - 1, 10)))
        asked = fault.retry_after
        return pause if asked is None else min(asked, self._spec.patience) + pause * 0.1
