"""The run whose prompts a new run begins with, as a person names it and as the store keeps it."""

from collections.abc import Collection
from typing import Any

from pydantic import ConfigDict, Field

from ..domain.errors import ConfigError
from ..tasks.written import Exact


class FromRun(Exact):
    """The run that a new one begins from: with the prompts that it ended with, on data that have grown or changed.

    The last three are filled in when the new run is begun.
    """

    model_config = ConfigDict(extra="forbid")

    run: str = Field(min_length=1, description="The beginning of a run's id, 'last', or 'confirmed': the newest confirmed one.")
    allow_unconfirmed: bool = Field(False, description="Begin with its prompts even if they are not confirmed.")
    allow_unchanged: bool = Field(False, description="Begin even if nothing has changed in the data since.")
    user_prompts: dict[str, list[str]] = Field(default_factory=dict, description="By task, as it ended with, best first.")
    changes: dict[str, Any] = Field(default_factory=dict, description="What changed between the data of the two runs.")
    says: list[str] = Field(default_factory=list, description="What changed, and what else is to be known, in sentences.")

    def insist_on(self, made_by: Collection[str]) -> None:
        """Raise ConfigError where nobody has looked at that run: a graph is given prompts, not the name of whoever has them."""
        if self.run not in made_by:
            raise ConfigError(
                "from_run: begin a run from another one with optimize(from_run=...) or 'metaspo optimize --from-run'"
            )
