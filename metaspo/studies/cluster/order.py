"""What a driver has a worker do, and what becomes of that: plain data, so that any version of metaspo can read it."""

import socket
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from ...compat import migration_names
from ...domain.errors import AwaitsApproval, MetaspoError, StoreError, UserError
from ...domain.redaction import redact
from ...models.sharing.messages import KINDS, Reason
from ...store.schema import migrations

NEEDS = (
    "every node needs what this machine has: metaspo with its extras, files at the same paths, and keys in the environment of "
    "'ray start'"
)
"""What whoever reads an error of a node is told."""


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
    # No store is like another's.
    needs = "" if isinstance(error, StoreError) else f"; {NEEDS}"
    return KINDS[Reason.of(error).kind](f"on node {node}: {error}{needs}")


def worded(error: Exception, who: str) -> MetaspoError:
    """What a person is told of any error that `who` had: a disk that is full, say, or a mistake of ours."""
    if isinstance(error, MetaspoError):
        return error
    if isinstance(error, OSError) and error.strerror:
        where = f" ({error.filename})" if error.filename else ""
        return StoreError(f"{who} cannot go on: {error.strerror}{where}; see to it, and run the same command again")
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    place = f" in {Path(at.tb_frame.f_code.co_filename).name}, line {at.tb_lineno}" if at else ""
    return MetaspoError(redact(f"{who} has an error of ours{place}, {type(error).__name__}: {error}"))


def node_words(address: str) -> str:
    """What a person calls this node: its name and its address."""
    return f"{socket.gethostname()} ({address})"
