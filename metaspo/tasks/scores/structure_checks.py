"""Which readers and metrics of answers with a structure go together."""

from ..answers.reader_spec import ReaderSpec
from .metric_spec import MetricSpec

ACCEPTED = {"json": ("accuracy", "fields", "judge"), "labels": ("accuracy", "set_f1", "jaccard", "judge")}
"""The metrics of each reader of a structure, beside a person's own."""

NEEDS = {
    "fields": "a reader of kind 'json'",
    "set_f1": "a reader of kind 'labels' with labels",
    "jaccard": "a reader of kind 'labels' with labels",
}


def complaint_about_structure(reader: ReaderSpec, metric: MetricSpec, constrain: bool) -> str | None:
    """Why a reader, a metric and a constraint do not go together where the answers have a structure, or None."""
    accepted = ACCEPTED.get(reader.kind)
    if accepted is None:
        needed = NEEDS.get(metric.kind)
        return f"metric {metric.kind} needs {needed}, not '{reader.kind}'" if needed else None
    if metric.kind not in accepted and ":" not in metric.kind:
        own = f"{', '.join(accepted)} or package.module:function"
        return f"metric {metric.kind} does not score what a '{reader.kind}' reader reads; use {own}"
    if not constrain:
        return None
    if reader.kind == "json" and reader.json_schema is None:
        return "constrain needs the reader's schema, which replies are held to; write one under reader.schema"
    if reader.source != "reply" or reader.pattern is not None:
        told = "since a reply that is held to a form is that JSON alone"
        return f"constrain with a '{reader.kind}' reader needs reader.from: reply, {told}"
    return None
