"""What the tests of methods start from: methods of their own, and workspaces to call their parts in."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from metaspo.models.registry import registry
from metaspo.runs.config import config_of
from metaspo.workspace import method
from metaspo.workspace.context import Context
from metaspo.workspace.method import Method
from metaspo.workspace.opening import open_workspace
from metaspo.workspace.problem import Problem

Opener = Callable[..., Any]


@pytest.fixture
def own_method(monkeypatch: pytest.MonkeyPatch) -> Callable[[Method], str]:
    """Makes a method known for the length of a test; returns its name."""

    def known(made: Method) -> str:
        monkeypatch.setitem(method._methods, made.name, made)
        return made.name

    return known


@pytest.fixture
async def opened(store_path: Path) -> AsyncIterator[Opener]:
    """Opens a workspace in the test's own store."""

    async def open_it(**settings: Any) -> Any:
        given = {"base": "scripted:dice", "optimizer": "scripted:dice", "preset": "quick", "store": store_path} | settings
        config = config_of(**given)
        context = Context.model_validate(config.context().model_dump())
        return await open_workspace("run", context, Problem.model_validate(config.problem().model_dump()))

    async with registry().used():
        yield open_it
