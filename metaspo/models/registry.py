"""What specs name, opened once per process and event loop, and closed together."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from weakref import WeakKeyDictionary

from ..domain.paths import path_of
from ..store.database import Store
from ..store.location import serves
from .account import Account
from .addresses import address_of, key_variable
from .backend import Backend
from .batch import MOST_REQUESTS
from .ledger import Ledger
from .limiter import Limiter
from .model import Model
from .pacing import Pace
from .portion import Portion
from .priced import priced
from .prices import Prices
from .rates import RATES
from .scripted import Scripted
from .sharing.messages import Line
from .sharing.sharing import Sharing
from .spec import ModelSpec


class Registry:
    """The open stores, ledgers and models of one event loop."""

    def __init__(self) -> None:
        """Nothing is open yet."""
        self._ledgers: dict[Path, tuple[Store, Ledger]] = {}
        self._models: dict[str, Model] = {}
        self._limiters: dict[str, Limiter] = {}
        self._paces: dict[str, Pace] = {}
        self._sharing: Sharing | None = None
        self._opening = asyncio.Lock()
        self._users = 0
        self._before_closing: list[Callable[[], Awaitable[None]]] = []
        self._portion: Portion | None = None

    @asynccontextmanager
    async def used(self) -> AsyncIterator[None]:
        """Keep everything open while somebody uses it; whoever leaves last closes it."""
        self._users += 1
        try:
            yield
        finally:
            self._users -= 1
            if not self._users:
                await self.close()

    @contextmanager
    def limited_to(self, portion: Portion | None) -> Iterator[None]:
        """Ask the models that are opened meanwhile within a portion of their limits, whoever names them; None is all of them.

        What is recorded of a run names the limits as they were written: they are those of the whole.
        """
        before, self._portion = self._portion, portion
        try:
            yield
        finally:
            self._portion = before

    def tell_before_closing(self, leave: Callable[[], Awaitable[None]]) -> Callable[[], None]:
        """Have `leave` awaited before anything is closed; returns what takes that back."""
        self._before_closing.append(leave)
        return lambda: self._before_closing.remove(leave)

    def share(self, line: Line) -> Account:
        """Have all that is opened from now on go through the desk of a study; returns the account that is parent to its runs.

        Before anything is opened; until all is closed again, which tells the desk that this worker leaves.
        """
        self._sharing = Sharing(line)
        return self._sharing.account

    async def ledger(self, path: str | Path) -> tuple[Store, Ledger]:
        """The store at `path` and its ledger; what a server works with is there already, and is not begun anew here."""
        real = await asyncio.to_thread(lambda: path_of(path).absolute())
        async with self._opening:
            if real not in self._ledgers:
                made = self._sharing.store(real) if self._sharing else asyncio.to_thread(Store, real, create=not serves())
                store = await made
                self._ledgers[real] = store, Ledger(store)
            await asyncio.to_thread(self._ledgers[real][0].refuse_lost)
            return self._ledgers[real]

    async def model(self, spec: ModelSpec, *, by_name: bool = False) -> Model:
        """The model behind a spec; models at one endpoint share one limiter, if their limits are the same."""
        # What only shapes single requests does not open a second connection, or a second server.
        # All else does: the backend sends its settings with every request, under an identity that holds them.
        spec = await asyncio.to_thread(priced, spec)
        if self._sharing is not None:
            self._sharing.refuse(spec)
        spec = self._portion.spec(spec) if self._portion else spec
        alike = {"temperature": None, "max_tokens": None, **dict.fromkeys((*Prices.model_fields, *RATES))}
        connection = spec.model_copy(update=alike)
        key = f"{connection.model_dump_json()} {address_of(spec)}"
        async with self._opening:
            if key not in self._models:
                backend = await _open(spec)
                self._models[key] = Model(spec, backend, self._limiter(spec, key, backend), pace=self._pace(spec, key))
            known = self._models[key]
            known.pace.limit(spec)
        return known if known.spec == spec and known.by_name == by_name else replace(known, spec=spec, by_name=by_name)

    def _limiter(self, spec: ModelSpec, connection: str, backend: Backend) -> Limiter:
        level, choose = spec.concurrency, None
        if spec.batch:
            # What is gathered takes no connection.
            return self._limiters.setdefault(connection, Limiter(MOST_REQUESTS, connected=False))
        if spec.provider == "local":
            from .local import LocalModel, in_flight

            level = in_flight(spec)
            choose = backend.best if isinstance(backend, LocalModel) else None
        # Other programs' models are not at one endpoint just because their provider is.
        endpoint = address_of(spec) or connection
        shared = f"{endpoint} {spec.api_key_env} {level}"
        if any(getattr(spec, rate) for rate in RATES):
            # What waits for its minute must not take up the slots of other models.
            shared += f" {spec.name}"
        if shared not in self._limiters:
            most = None if level == "auto" else level
            # What a model in this process can do is its own.
            sharing = self._sharing if spec.provider != "local" else None
            self._limiters[shared] = sharing.limiter(shared, most) if sharing else Limiter(most, choose=choose)
        return self._limiters[shared]

    def _pace(self, spec: ModelSpec, connection: str) -> Pace:
        name = f"{address_of(spec) or connection} {key_variable(spec)} {spec.name}"
        if name not in self._paces:
            self._paces[name] = self._sharing.pace(name) if self._sharing else Pace()
        return self._paces[name]

    async def close(self) -> None:
        """Finish calls in flight and close everything; whatever fails to close does not keep the rest open."""
        for leave in [*self._before_closing]:
            await leave()
        ledgers, self._ledgers = self._ledgers, {}
        models, self._models = self._models, {}
        self._limiters, self._paces = {}, {}
        for _, ledger in ledgers.values():
            await ledger.settle()
        await asyncio.gather(*(model.backend.close() for model in models.values()), return_exceptions=True)
        for store, _ in ledgers.values():
            await asyncio.to_thread(store.close)
        sharing, self._sharing = self._sharing, None
        if sharing is not None:
            await sharing.close()


async def _open(spec: ModelSpec) -> Backend:
    if spec.provider == "scripted":
        return await asyncio.to_thread(Scripted, spec)
    # The clients of all other providers take most of a second to load, which no scripted run and no report needs.
    backends = await asyncio.to_thread(import_module, ".backends", __package__)
    backend: Backend = await backends.open_backend(spec)
    return backend


_registries: "WeakKeyDictionary[asyncio.AbstractEventLoop, Registry]" = WeakKeyDictionary()


def registry() -> Registry:
    """The registry of the running event loop."""
    return _registries.setdefault(asyncio.get_running_loop(), Registry())
