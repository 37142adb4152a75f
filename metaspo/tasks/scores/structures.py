"""What a task whose answers have a structure needs: its schema, its metric, and words about an answer."""

from collections.abc import Sequence

from ...domain.paths import path_of
from ..answers.label_sets import said_of
from ..answers.reader_spec import ReaderSpec
from ..answers.schemas import complaints, read_schema, text_of
from ..spec import TaskSpec
from . import fields, metrics
from .metric_spec import MetricSpec


def with_schema(spec: TaskSpec) -> TaskSpec:
    """A task whose schema is there itself, where a file was named. Raises TaskError where that holds none."""
    named = spec.reader.json_schema
    if not isinstance(named, str):
        return spec
    schema = read_schema(path_of(named, spec._folder))
    # Not into the spec itself: it says what a person wrote.
    return spec.model_copy(update={"reader": spec.reader.model_copy(update={"json_schema": schema})})


def scorer_of(metric: MetricSpec) -> metrics.Scorer | None:
    """How a metric scores one answer; None for one that takes a judge or a person's own code."""
    if metric.kind == "fields":
        return lambda answer, golds: fields.score(metric.fields, answer, golds)
    return metrics.scorer(metric.kind, metric.tolerance)


def words_of(reader: ReaderSpec, metric: MetricSpec, answer: str, golds: Sequence[str]) -> str:
    """What is wrong with an answer: what it breaks of the schema, which fields differ, which labels; "" where nothing is."""
    said = []
    if isinstance(reader.json_schema, dict) and (broken := complaints(text_of(reader.json_schema), answer)):
        said.append(f"it breaks the schema: {'; '.join(broken)}")
    if metric.kind == "fields" or (metric.kind == "accuracy" and reader.kind == "json"):
        said.append(fields.said_of(fields.nearest(metric.fields, answer, golds)))
    elif reader.kind == "labels" and golds:
        said.append(said_of(answer, golds))
    return "; ".join(filter(None, said))


def complaint_about_fields(metric: MetricSpec, accepted: Sequence[Sequence[str]]) -> str | None:
    """What is wrong with the fields of a metric, as against the accepted answers of all examples, or None."""
    for path, how in (metric.fields or {}).items():
        there = [one for golds in accepted for gold in golds if (one := fields.gold_value(gold, path)) is not fields.MISSING]
        if accepted and not there:
            return f"no gold answer has the field '{path}' that the metric compares; correct it, or remove it"
        odd = next((one for one in there if one is not None and fields.number_of(one, how) is None), None)
        if how.kind == "numeric" and odd is not None:
            told = f"a gold answer has {fields.shown(odd)} there"
            return f"the field '{path}' is compared as numeric, and {told}; compare it as exact"
    return None
