"""What a driver has a worker do, and what becomes of that: plain data, so that any version of metaspo can read it."""

import socket
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel

from ...compat import migration_names
from ...domain.errors import AwaitsApproval, MetaspoError, UserError
from ...models.sharing.messages import KINDS, Reason
from ...store.schema import migrations


def written_by() -> list[str]:
    """What has to be the same on every node: the version of metaspo, and that of its stores."""
    return [version("metaspo"), migration_names(migrations)[-1]]


class Order(BaseModel):
    """One attempt at a run. `study` names the study for folders of nodes, `folder` is where the driver works."""

    versions: list[str]
    run: str
    attempt: int
    problem: dict[str, Any]
    context: dict[str, Any]
    builds_on: list[str]
    study: str
    folder: str


class Outcome(BaseModel):
    """How an attempt at a run ended.

    `reason` is why the run is not done, as its kind and its words; `raised` says that it is an error for all runs.
    `lost` says that the study was out of the worker's reach: if it is not for others, the run goes on elsewhere.
    """

    kind: str = ""
    said: str = ""
    raised: bool = False
    lost: bool = False
    request: dict[str, Any] | None = None

    @classmethod
    def of(cls, reason: MetaspoError | None, *, raised: bool = False) -> "Outcome":
        """What travels in the place of the reason why a run is not done."""
        if reason is None:
            return cls()
        request = dict(reason.request) if isinstance(reason, AwaitsApproval) else None
        known = Reason.of(reason)
        return cls(kind=known.kind, said=known.said, raised=raised, request=request)

    def reason(self) -> MetaspoError | None:
        """Why the run is not done, None where it is."""
        if self.request is not None:
            return AwaitsApproval(self.said, dict(self.request))
        return KINDS[self.kind](self.said) if self.kind else None


def on_node(node: str, error: MetaspoError) -> MetaspoError:
    """An error that a node has and this process has not, with the node's name, and what its nodes need."""
    if not isinstance(error, UserError):
        return error
    return KINDS[Reason.of(error).kind](
        f"on node {node}: {error}; every node needs what this machine has: metaspo with its extras, files at the same paths, "
        "and keys in the environment of 'ray start'"
    )


def node_words(address: str) -> str:
    """What a person calls this node: its name and its address."""
    return f"{socket.gethostname()} ({address})"
