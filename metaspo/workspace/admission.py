"""What comes over the wire is data: the one place where what a client wrote becomes what a server works with.

In a served process whatever is made into a `Problem`, a `Generalization` or a `Context` is a client's unless it
is read within `trusted`. A field that can hold text must be named in a table here, with what becomes of it; one
that is not is refused. So a field that comes with the next version is safe before anybody thinks of it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, model_validator

from ..domain.complaints import as_written
from ..domain.errors import ConfigError, ModelError, TaskError
from ..models.spec import ModelSpec
from ..models.spec_text import whole
from ..tasks.answers.schemas import patterns_in
from ..tasks.catalogue import builtin_tasks
from ..tasks.documents import Block, check
from ..tasks.examples import load_pools
from ..tasks.paper.benchmarks import benchmarks
from ..tasks.patterns import altogether, limited
from ..tasks.rows.images import Images
from ..tasks.scores.metric_spec import REWARD
from ..tasks.spec import TaskSpec
from ..tasks.written import text_keys
from .bounds import PATTERNS, PROMPT, SETTING, in_bounds, refuse_blown_up, refuse_large, refuse_long, refuse_long_block
from .method import FILE, find_method
from .serving import MODELS, TASKS, Serving, recorded, strict

CLOSED = (int, float, bool, NoneType)
"""Types whose values name nothing."""

RUN = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


class Admitted(Block):
    """A block that clients of a server fill in."""

    @model_validator(mode="before")
    @classmethod
    def _from_the_wire(cls, data: Any) -> Any:
        serving = strict()
        if serving is None or not isinstance(data, Mapping):
            return data
        gate = Gate(serving)
        own = recorded()
        kept = {name: value for name, value in data.items() if any(name in one and one[name] == value for one in own)}
        given = {name: value for name, value in data.items() if name not in kept}
        refuse_large(given)
        return gate.admitted(cls, given, GIVEN) | kept


Rule = Callable[["Gate", Any, str], Any]
"""What becomes of a client's value, with the words that say where it stands; raises a UserError where it is refused."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Admits what a client wrote, by what a server takes; `within` is where a block stands in what it wrote."""

    serving: Serving
    within: str = ""

    def admitted(
        self, kind: type[BaseModel], given: Mapping[str, Any], rules: Mapping[str, Rule], at: str = ""
    ) -> dict[str, Any]:
        """A block with every value as the server works with it. Raises ConfigError, TaskError or ModelError."""
        if kind.model_config.get("extra") != "forbid":
            raise ConfigError(f"{at or kind.__name__}: this server takes none of it from clients")
        return {name: self._value(kind, name, value, rules, at) for name, value in given.items()}

    def _value(self, kind: type[BaseModel], name: str, value: Any, rules: Mapping[str, Rule], at: str) -> Any:
        field = kind.model_fields.get(name)
        if field is None or value is None:
            return value  # A key that there is not is refused by the block itself.
        path = f"{at}.{field.alias or name}" if at else field.alias or name
        if is_closed(field.annotation):
            return in_bounds(value, self.within + path)
        if path in rules:
            return rules[path](self, value, self.within + path)
        inner = block_in(field.annotation)
        if inner is not None and not isinstance(value, Mapping | BaseModel):
            raise ConfigError(f"{self.within}{path}: is a block of settings by name, not {as_written(value)}")
        if inner is None:
            raise ConfigError(f"{self.within}{path}: this server does not take it from clients; leave it out")
        return self.admitted(inner, fields_of(value), rules, path)

    def text(self, value: Any, where: str) -> Any:
        """A prompt, or other words, which name nothing."""
        refuse_long(value, where, PROMPT)
        return value

    def setting(self, value: Any, where: str) -> Any:
        """What says how rows and replies are read, by the fields and words that are in them."""
        refuse_long(value, where, SETTING)
        return value

    def nothing(self, value: Any, where: str) -> Any:
        """What a server has itself, or what only its own files may name."""
        if value:
            raise ConfigError(f"{where}: this server takes none from clients; leave it out")
        return value

    def method(self, value: Any, where: str) -> Any:
        """A way to search that is known; not a prompt in a file."""
        if isinstance(value, str) and value.startswith(FILE):
            raise ConfigError(
                f"{where}: this server reads no prompt from a file; write method 'fixed', and the text as system_prompt"
            )
        return find_method(value).name if isinstance(value, str) else value

    def run(self, value: Any, where: str) -> Any:
        """The id of a run; whether there is one is looked up where it is built on."""
        for one in value if isinstance(value, list) else [value]:
            if not isinstance(one, str) or not re.fullmatch(RUN, one):
                raise ConfigError(f"{where}: {as_written(one)} is no run of this server; write the whole id of one")
        return value

    def other_run(self, value: Any, where: str) -> Any:
        """The prompts of another run to begin with: whose they are, who runs the server decides."""
        if value:
            raise ConfigError(
                f"{where}: this server begins no run for a client with what another run ended with; branch off from a run of "
                "its own (start), or write the prompts themselves (system_prompt, and user_prompt of a task block)"
            )
        return value

    def models(self, value: Any, where: str) -> Any:
        """One model or several, by the names that the server has for them."""
        if isinstance(value, list):
            return [self.model(one, where) for one in whole(value)]
        return self.model(value, where)

    def model(self, value: Any, where: str) -> Any:
        """A model by the name that the server has for it; an empty text is none."""
        if value == "" or isinstance(value, ModelSpec):
            return value
        return self.serving.model(value, where)

    def tasks(self, value: Any, where: str) -> Any:
        """Tasks by name or as blocks; those that the run was given before are its own."""
        if not isinstance(value, list):
            raise ConfigError(f"{where}: is a list of names and task blocks, not {as_written(value)}")
        own = [task for one in recorded() for task in [*(one.get("tasks") or []), *(one.get("targets") or [])]]
        return [one if one in own else self._task(one, f"{where}[{at}]") for at, one in enumerate(value)]

    def _task(self, value: Any, where: str) -> Any:
        if isinstance(value, dict):
            return Gate(self.serving, f"{where}.")._block(text_keys(value))
        files = self.serving.task_files()
        if not isinstance(value, str):
            raise TaskError(f"{where}: is the name of a task, or a block, not {as_written(value)}")
        if value in builtin_tasks() or value in benchmarks():
            return value
        if value in files:
            return str(files[value])
        if value in map(str, files.values()):
            return value  # As it was admitted once.
        there = ", ".join([*files, *builtin_tasks()])
        raise TaskError(
            f"{where}: this server has no task {as_written(value)}; name one of {there}, or one of the catalogue, or write "
            f"the task itself as a block with its rows under 'examples'; who runs the server adds folders of tasks in {TASKS}"
        )

    def _block(self, block: dict[str, Any]) -> dict[str, Any]:
        refuse_long_block(block, self.within)
        refuse_blown_up(block, f"{self.within}question")
        spec = check(TaskSpec, block, TaskError)
        admitted = self.admitted(TaskSpec, fields_of(spec), TASK)
        # Images are looked for wherever a row may hold one, with eyes for nothing but data.
        looked_at = spec.model_copy()
        looked_at._images = Images(inline=True)
        with altogether(PATTERNS):
            load_pools(looked_at)
        judge = admitted.get("metric", {}).get("model")
        return {**block, "metric": {**block["metric"], "model": judge}} if judge else block

    def rows(self, value: Any, where: str) -> Any:
        """Rows as data, in one list or one per split."""
        for part in value.values() if isinstance(value, dict) else [value]:
            if not isinstance(part, list):
                raise TaskError(
                    f"{where}: this server reads no file and no data set that a client names; write the rows, such as "
                    '[{"question": "...", "answer": "..."}], or name a task of the server\'s'
                )
        return value

    def function(self, value: Any, where: str) -> Any:
        """A reader or a metric of ours, or a function of the server's list."""
        own = value.removeprefix(REWARD) if isinstance(value, str) else ""
        if ":" in own and own not in self.serving.functions:
            there = ", ".join(sorted(self.serving.functions)) or "there are none"
            raise TaskError(
                f"{where}: this server does not call {as_written(value)}; take one that comes with metaspo, or a function that "
                f"is listed here ({there}); who runs the server lists functions in {MODELS}"
            )
        return value

    def pattern(self, value: Any, where: str) -> Any:
        """A regular expression whose matches can be held to a time."""
        if not limited(value):
            raise TaskError(f"{where}: this server does not take a pattern such as {as_written(value)}; write a simpler one")
        return value

    def schema(self, value: Any, where: str) -> Any:
        """A JSON schema as data."""
        if not isinstance(value, dict):
            raise TaskError(f"{where}: this server reads no schema from a file; write the schema itself, as an object")
        for pattern in patterns_in(value):
            self.pattern(pattern, where)
        return value

    def judge(self, value: Any, where: str) -> Any:
        """The text of the spec behind a judge's name, which is what a task holds."""
        spec = self.model(value, where)
        if not isinstance(spec, ModelSpec):
            return value
        if ModelSpec.parse(str(spec)) != spec:
            raise ModelError(f"{where}: the model {as_written(value)} cannot grade here: its spec does not fit into one line")
        return str(spec)


TEXT: Rule = Gate.text

GIVEN: Mapping[str, Rule] = {
    **dict.fromkeys(("tasks", "targets"), Gate.tasks),
    **dict.fromkeys(("system_prompt", "system_prompts", "against", "user_prompts", "optimizer_prompts"), TEXT),
    **dict.fromkeys(("start.system_prompt", "start.user_prompts", "start.beam"), TEXT),
    **dict.fromkeys(("start.run", "made_by"), Gate.run),
    "from_run": Gate.other_run,
    "method": Gate.method,
    "base": Gate.models,
    "optimizer": Gate.model,
    "analyst": Gate.model,
    "store": Gate.nothing,
    "track": Gate.nothing,
}
"""What becomes of the fields of a problem and of a context that can hold text."""

TASK: Mapping[str, Rule] = {
    **dict.fromkeys(("name", "domain", "description", "licence", "user_prompt", "user_prompts", "answer_format"), TEXT),
    "examples": Gate.rows,
    "image_folder": Gate.nothing,
    # How rows are read; each names fields of a row, or says how text is taken apart.
    **dict.fromkeys(
        (
            "rows", "columns", "delimiter", "where", "drop", "question", "answer", "answer_map", "answer_columns",
            "answer_separator", "images", "split", "encoding",
        ),
        Gate.setting,
    ),
    **dict.fromkeys(("reader.labels", "reader.synonyms", "reader.none", "reader.version"), Gate.setting),
    **dict.fromkeys(("question_pattern", "answer_pattern", "reader.pattern"), Gate.pattern),
    "reader.from": Gate.function,
    "reader.schema": Gate.schema,
    **dict.fromkeys(("metric.fields", "metric.rubric", "metric.version"), TEXT),
    "metric.kind": Gate.function,
    "metric.model": Gate.judge,
}  # fmt: skip
"""The same of a task block."""


def fields_of(value: Any) -> Mapping[str, Any]:
    """What a block was given, by the names of its fields."""
    return {name: getattr(value, name) for name in value.model_fields_set} if isinstance(value, BaseModel) else value


def is_closed(annotation: Any) -> bool:
    """Whether a type holds numbers, truth and words of a fixed list only."""
    if annotation in CLOSED or get_origin(annotation) is Literal:
        return True
    if get_origin(annotation) is Annotated:
        return is_closed(get_args(annotation)[0])
    return bool(get_args(annotation)) and all(map(is_closed, get_args(annotation)))


def block_in(annotation: Any) -> type[BaseModel] | None:
    """The block that a field holds, or may hold; None for other types."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = [block for one in get_args(annotation) if (block := block_in(one))]
    return found[0] if len(found) == 1 else None
