"""What a server is told by its environment: the tasks, models and functions that its clients may name."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from ..domain.complaints import as_written
from ..domain.errors import ConfigError, ModelError
from ..domain.paths import path_of
from ..models.scripted import BUILT_IN
from ..models.spec import ModelSpec
from ..models.spec_text import parsed, shown
from ..tasks.documents import read_yaml
from ..tasks.written import CALLABLE, NAME

TASKS, MODELS, TRUST = "METASPO_SERVE_TASKS", "METASPO_SERVE_MODELS", "METASPO_SERVE_TRUST"
"""The environment variables: folders of task files; names for models, and functions; 1 takes whatever clients write."""

OURS = ("local:smollm2", *(f"scripted:{name}" for name in BUILT_IN))
"""The models that come with metaspo, which need no key and read nothing of the server's."""

SETTINGS = (
    "temperature", "max_tokens", "max_completion_tokens", "top_p", "reasoning_effort", "reasoning", "seed", "system_role",
    "constrain",
)  # fmt: skip
"""The settings that a client may add to a model's name: they shape requests, and name nothing."""


@dataclass(frozen=True, slots=True)
class Serving:
    """What clients may name: task files in `tasks`, models by name, functions as `package.module:function`."""

    tasks: tuple[Path, ...] = ()
    models: Mapping[str, ModelSpec] = field(default_factory=dict)
    functions: frozenset[str] = frozenset()

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Self | None":
        """As the environment says; None where it trusts its clients. Raises ConfigError and ModelError."""
        if environment.get(TRUST, "").strip() == "1":
            return None
        folders = tuple(path_of(one).absolute() for one in environment.get(TASKS, "").split(os.pathsep) if one.strip())
        missing = next((folder for folder in folders if not folder.is_dir()), None)
        if missing:
            raise ConfigError(f"{TASKS}: there is no folder {missing}; name folders of task files, joined by {os.pathsep!r}")
        models, functions = _listed(environment.get(MODELS, "").strip())
        return cls(folders, models, functions)

    def task_files(self) -> dict[str, Path]:
        """The task files by name, those of the first folder first; none that is hidden, or linked from elsewhere."""
        found: dict[str, Path] = {}
        for folder in self.tasks:
            inside = folder.resolve()
            for path in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
                if not path.name.startswith(".") and path.is_file() and path.resolve().is_relative_to(inside):
                    found.setdefault(path.stem, path)
        return found

    def model(self, written: Any, where: str) -> ModelSpec:
        """The model that a client names, with the settings that it adds. Raises ModelError that lists the names."""
        if isinstance(written, str) and self._is_named(written):
            return ModelSpec.parse(written)
        name, comma, settings = written.partition(",") if isinstance(written, str) else ("", "", "")
        known = self.models.get(name.strip()) or (ModelSpec.parse(name.strip()) if name.strip() in OURS else None)
        if known is None:
            said, there = shown(written) if isinstance(written, str) else as_written(written), ", ".join([*self.models, *OURS])
            raise ModelError(
                f"{where}: this server asks no model {said}; name one of {there}, with settings such as temperature=0.5 behind "
                f"a comma if you like; who runs the server adds models by name in {MODELS}"
            )
        if not comma:
            return known
        added = parsed(f"named:{name.strip()},{settings}")
        refused = next((key for key in added if key not in (*SETTINGS, "provider", "name")), None)
        if refused is not None:
            raise ModelError(
                f"{where}: {shown(refused)} is not a client's to set; behind a model's name may stand {', '.join(SETTINGS)}"
            )
        fields = known.model_dump(exclude_unset=True)
        if {"max_tokens", "max_completion_tokens"} & added.keys():
            # Two names of one thing, of which the client's counts.
            fields = {key: value for key, value in fields.items() if key not in ("max_tokens", "max_completion_tokens")}
        return ModelSpec.parse(fields | {key: added[key] for key in SETTINGS if key in added})

    def _is_named(self, written: str) -> bool:
        """Whether a text is the spec of a model that clients may name, but for the settings that they may add."""
        if written.partition(",")[0] not in {spec.label for spec in self.models.values()}:
            return False
        try:
            asked = _asked_as(ModelSpec.parse(written))
        except ModelError:
            return False
        return any(_asked_as(spec) == asked for spec in self.models.values())


def _asked_as(spec: ModelSpec) -> dict[str, Any]:
    return spec.model_dump(exclude={*SETTINGS})


def _listed(written: str) -> tuple[dict[str, ModelSpec], frozenset[str]]:
    """The models by name and the functions: of a YAML file, or of a line `name=spec;name=spec;package.module:function`."""
    if written.endswith((".yaml", ".yml")) and "=" not in written:
        data = read_yaml(path_of(written), ConfigError).data
        models, functions = data.get("models") or {}, data.get("functions") or []
        if {*data} - {"models", "functions"} or not isinstance(models, dict) or not isinstance(functions, list):
            raise ConfigError(f"{MODELS}: {written} holds 'models', names with a spec each, and 'functions', a list")
    else:
        parts = [part.strip() for part in written.split(";") if part.strip()]
        functions = [part for part in parts if re.fullmatch(CALLABLE, part)]
        named = [part.partition("=") for part in parts if part not in functions]
        models = {name.strip(): spec.strip() for name, _, spec in named}
    odd = next((name for name in models if not models[name] or not re.fullmatch(NAME, str(name))), None) or next(
        (name for name in functions if not re.fullmatch(CALLABLE, str(name))), None
    )
    if odd is not None:
        raise ConfigError(
            f"{MODELS}: {as_written(odd)} is neither name=spec, such as cheap=openai:gpt-4o-mini, nor package.module:function"
        )
    return {str(name): ModelSpec.parse(spec) for name, spec in models.items()}, frozenset(map(str, functions))


Values = Mapping[str, Any]
"""What a run was given, as the store has it."""

NOTHING: Sequence[Values] = ()
EVERYTHING: Sequence[Values] = ({},)
"""In the place of recorded values: all that is read now is the server's own."""

_serving: Serving | None = None
_own: ContextVar[Sequence[Values]] = ContextVar("own", default=NOTHING)


def serve_by(environment: Mapping[str, str]) -> None:
    """From now on this process serves: what it is given is a client's unless it is known to be its own."""
    global _serving
    _serving = Serving.of(environment)


def strict() -> Serving | None:
    """What clients may name, None where nobody has to be asked: nothing is served, or clients and values are trusted."""
    return None if _own.get() is EVERYTHING else _serving


def recorded() -> Sequence[Values]:
    """What the runs at work were given; values that are equal to these are the server's own."""
    return _own.get()


@contextmanager
def trusted(values: Sequence[Values] = EVERYTHING) -> Iterator[None]:
    """Within, what is read is the server's own: everything, or what is equal to `values` that runs were given."""
    token = _own.set(values if values is EVERYTHING else [*values])
    try:
        yield
    finally:
        _own.reset(token)
