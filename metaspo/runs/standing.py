"""Where a run stands in its thread: at a checkpoint that it goes on from, or at its beginning."""

from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from pydantic import BaseModel

from ..domain.errors import UserError
from ..store.chains import last_checkpoint, untaken_input
from ..store.evaluations import has_evaluations
from ..workspace.resources import Workspace


async def stands_at(saver: "BaseCheckpointSaver[str]", workspace: Workspace) -> RunnableConfig | None:
    """The checkpoint that a run goes on from, None where it begins: it was killed or emptied before it came to anything."""
    if not await workspace.store.run(has_evaluations, workspace.run):
        return None
    if _is_input(workspace.problem, await untaken_input(saver, workspace.thread)):
        return None
    return await last_checkpoint(saver, workspace.thread, workspace.run)


def _is_input(problem: Any, written: Any) -> bool:
    """Whether input says what a run was given, however it was written."""
    kind = cast(type[BaseModel], type(problem))
    try:
        fields = written.model_dump() if isinstance(written, BaseModel) else {**written}
        given = {name: value for name, value in fields.items() if name in kind.model_fields}
        return bool(kind.model_validate(given).model_dump() == problem.model_dump())
    except (ValueError, TypeError, UserError):
        return False
