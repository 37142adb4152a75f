"""The paper's tasks: where each comes from, how it is converted and drawn, put, read and scored."""

from functools import cache
from pathlib import Path
from typing import Any, Literal

from platformdirs import user_cache_path
from pydantic import BaseModel, ConfigDict, Field, model_validator

from ...domain.errors import TaskError
from ..answers.reader_spec import ReaderSpec
from ..data import DATASETS
from ..documents import check, read_yaml
from ..scores.metric_spec import MetricSpec
from ..spec import TaskSpec
from .conversions import CONVERSIONS, Conversion
from .grounding import GROUNDING

CATALOGUE = DATASETS / "catalogue"
EXAMPLES = "examples.json"
MANIFEST = "manifest.json"


class _Described(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Described):
    """Where the records are: a data set on the hub, and which parts of it."""

    hub: str = Field(description="The id on the Hugging Face hub, or the path of a local clone.")
    config: str | None = Field(None, description="The configuration (subset).")
    revision: str | None = Field(None, description="A branch, tag or commit; the newest if none.")
    train: list[str] = Field(description="The splits, or JSON files of the repository, that train examples come from.")
    test: list[str] = Field(description="The same for test examples; the same list as `train` is dealt between the two.")
    where: dict[str, str] = Field(default_factory=dict, description="Only records whose fields have these values.")
    limit: int | None = Field(None, gt=0, description="Read this many records of each split from its start, streamed.")
    checked: str = Field("", description="What was looked up about it.")


class Benchmark(_Described):
    """One task of the catalogue; `metaspo tasks fetch` turns it into data in the user's cache."""

    name: str
    domain: str
    folder: str = Field(description="The authors' name of the domain, that of the folder of their files.")
    aliases: list[str] = Field(default_factory=list, description="Other names of the authors' file.")
    title: str = Field(description="The paper's name.")
    role: Literal["source", "target"]
    description: str
    source: Source
    conversion: str
    context: int = Field(0, ge=0, description="How many passages BM25 retrieves as the context; 0: none.")
    train_size: int = Field(500, gt=0, description="How many train examples are drawn at most.")
    test_size: int = Field(500, gt=0, description="How many test examples are drawn at most.")
    user_prompt: str
    answer_format: str
    reader: ReaderSpec
    metric: MetricSpec
    licence: str
    note: str = Field("", description="Where it departs from the paper, and what else to know.")

    @model_validator(mode="before")
    @classmethod
    def _metric_by_name(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("metric"), str):
            return {**data, "metric": {"kind": data["metric"]}}
        return data

    @property
    def id(self) -> str:
        """Domain and name, such as "medical/anatomy": how a config names it."""
        return f"{self.domain}/{self.name}"

    @property
    def place(self) -> Path:
        """The folder in the user's cache that holds its examples once fetched."""
        return user_cache_path("metaspo") / "tasks" / self.domain / self.name

    @property
    def fetched(self) -> bool:
        """Whether its examples are on this machine."""
        return (self.place / EXAMPLES).is_file()

    @property
    def convert(self) -> Conversion:
        """The function from a record of its source to a draft."""
        return {**CONVERSIONS, **GROUNDING}[self.conversion]

    def spec(self, folder: Path | None = None) -> TaskSpec:
        """The task over the examples in `folder` (its place if none); raises TaskError where they are missing."""
        if folder is None and not self.fetched:
            raise TaskError(f"the data of task '{self.id}' is not on this machine yet; run 'metaspo tasks fetch {self.id}'")
        return check(TaskSpec, {**self._written, "examples": str((folder or self.place) / EXAMPLES)}, TaskError)

    @property
    def _written(self) -> dict[str, Any]:
        shared = self.model_dump(
            include={"name", "domain", "role", "description", "user_prompt", "answer_format", "metric", "licence"}
        )
        return {**shared, "reader": self.reader.model_dump(by_alias=True)}

    @property
    def stand_in(self) -> dict[str, Any]:
        """A task block with as many examples as are drawn at most, which say nothing: to count calls before it is fetched."""
        gold = (self.reader.closed or ["1"])[0]
        sizes = {"train": self.train_size, "test": self.test_size}
        rows = {split: [{"question": f"{split} {n}", "answer": gold} for n in range(size)] for split, size in sizes.items()}
        return {**self._written, "examples": rows}


@cache
def benchmarks() -> dict[str, Benchmark]:
    """The catalogue by id, domain after domain, source tasks first."""
    found: dict[str, Benchmark] = {}
    for path in sorted(CATALOGUE.glob("*.yaml")):
        document = read_yaml(path, TaskError)
        data = document.data
        common = {"domain": data["domain"], "folder": data["folder"], **data.get("defaults", {})}
        for written in data["tasks"]:
            source = {**common.get("source", {}), **written.get("source", {})}
            task = check(Benchmark, {**common, **written, "source": source}, TaskError)
            found[task.id] = task
    return found


def select(word: str) -> list[Benchmark]:
    """The tasks that a word names: "all", a domain, an id, a name; the authors' names as well.

    Raises TaskError when it names none.
    """
    tasks = list(benchmarks().values())
    for names in (_domains, _names):
        if chosen := [task for task in tasks if word in names(task)]:
            return chosen
    domains = ", ".join(dict.fromkeys(task.domain for task in tasks))
    raise TaskError(
        f"no task of the catalogue is called {word!r}; use all, a domain ({domains}) or a task such as {tasks[0].id}; "
        "'metaspo tasks list' shows them"
    )


def _domains(task: Benchmark) -> set[str]:
    return {"all", task.domain, task.folder}


def _names(task: Benchmark) -> set[str]:
    names = {task.name, *task.aliases}
    return names | {f"{domain}/{name}" for domain in (task.domain, task.folder) for name in names}
