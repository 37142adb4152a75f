"""What a worker of a cluster does: one attempt at a run, in a store of its own, which is joined into the study's."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ...domain.errors import Interrupted, MetaspoError
from ...domain.twins import SIGNALS
from ...models.registry import registry
from ...models.sharing.messages import LineLost, Worker
from ...runs.session import run_session
from ...store import runs
from ...store.database import open_store
from ...workspace.context import Context
from ...workspace.known import stored_input
from .bringing import bring_in
from .connecting import ray_module
from .line import RayLine
from .order import Order, Outcome, node_words, on_node, worded, written_by
from .own_store import own_store
from .reporting import Reporting


def work(leader: Any, order: dict[str, Any]) -> dict[str, Any]:
    """Work on a run as `order` says, under the actor that leads the study; how that ended, as plain data."""
    node = node_words(ray_module().util.get_node_ip_address())
    if order["versions"] != written_by():
        theirs, ours = (f"metaspo {version} (stores: {schema})" for version, schema in (order["versions"], written_by()))
        said = f"on node {node}: {ours} is installed, and {theirs} leads the study; install the same one everywhere"
        return Outcome(kind="ConfigError", said=said, raised=True).model_dump()
    found = Order.model_validate(order)
    with _from(found.folder), _signals_kept():
        return asyncio.run(_outcome(RayLine(leader, Worker(found.run, found.attempt)), found, node)).model_dump()


def clean(leader: Any, study: str) -> None:
    """Bring in what workers of a study that were killed have left on this node."""
    line = RayLine(leader, Worker(f"what is left on {_node_id()}", 0))
    with _signals_kept(), suppress(MetaspoError):
        asyncio.run(bring_in(line, study))


async def _outcome(line: RayLine, order: Order, node: str) -> Outcome:
    try:
        return Outcome.of(await _worked(line, order, node))
    except LineLost:
        # Whoever was only stopped, or cut off, for a while can hand over what it has paid for.
        with suppress(MetaspoError):
            await bring_in(line, order.study)
        return Outcome(lost=True)
    except MetaspoError as error:
        return Outcome.of(on_node(node, error), raised=True)
    except Exception as error:
        return Outcome.of(worded(error, f"node {node}"), raised=True)


async def _worked(line: RayLine, order: Order, node: str) -> MetaspoError | None:
    """Why the run is not done, None where it is. Raises MetaspoError like a session of a run."""
    try:
        await line.begin(node, _node_id())
    except Interrupted as stopped:
        return stopped
    await bring_in(line, order.study)
    with own_store(order.study, order.run) as store:
        if fetched := await line.fetch(order.builds_on):
            await asyncio.to_thread(store.write_bytes, fetched)
        known = await asyncio.to_thread(_is_known, store, order.run)
        context = Context.model_validate(order.context).model_copy(update={"store": str(store)})
        problem = None if known else stored_input({"problem": order.problem})
        async with registry().used(), Reporting(line, order.run, store) as reporting:
            account = registry().share(line)
            reason = await run_session(order.run, context, problem, reporting.listen, account)
        if lost := next((one for one in (reason, reporting.failed) if isinstance(one, LineLost)), None):
            raise lost
        if reporting.failed is not None and reason is None:
            raise reporting.failed
        return reason


def _node_id() -> str:
    return str(ray_module().get_runtime_context().get_node_id())


def _is_known(store: Path, run: str) -> bool:
    if not store.exists():
        return False
    with open_store(store) as opened:
        return runs.known(opened.db, run) is not None


@contextmanager
def _from(folder: str) -> Iterator[None]:
    """Work where the driver does, if this node has that folder: code of one's own is found from there."""
    before = os.getcwd()
    if os.path.isdir(folder):
        os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Have Ray's own handlers of signals back after an event loop has had its own."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        yield
    finally:
        for number, known in before.items():
            if known is not None:
                signal.signal(number, known)
