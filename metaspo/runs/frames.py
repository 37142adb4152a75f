"""The rows of a session's result and of a plan as data frames."""

from dataclasses import astuple, fields

from ..reports.notebook.frames import report_frames
from ..reports.notebook.shown import Frame, Frames, frames_of
from .need import Need, Needs
from .optimize import Result


@frames_of.register
def _result(result: Result) -> Frames:
    return report_frames(result.report)


@frames_of.register
def _needs(found: Needs) -> Frames:
    return {"needs": Frame([one.name for one in fields(Need)], lambda: map(astuple, found))}
