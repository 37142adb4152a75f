"""What Ray says when a task brings nothing: whether its worker was lost, and why."""

from ...domain.errors import MetaspoError

MOST_LOSSES = 10
"""How often the worker of a run may be lost in a row while no further round is closed."""

LOST = {
    "NodeDiedError": "the node is gone",
    "WorkerCrashedError": "its process is gone",
    "OutOfMemoryError": "the node ran out of memory",
    "LocalRayletDiedError": "the node is gone",
    "ObjectLostError": "the node is gone",
    "TaskCancelledError": "it was cancelled",
}
"""Errors of Ray's that speak of a worker that is lost, in words."""

OUT_OF_REACH = "it was stopped, or cut off from the study, for too long"
"""Why a worker is given up that says itself that it could not reach the study."""


def how_lost(error: Exception) -> str:
    """How a worker was lost. Raises MetaspoError for what would be no other the next time."""
    for kind in type(error).__mro__:
        if kind.__name__ in LOST:
            return LOST[kind.__name__]
    cause = getattr(error, "cause", None) or error
    raise MetaspoError(f"Ray could not do a run: {type(cause).__name__}: {str(cause).strip().partition(chr(10))[0]}") from None
