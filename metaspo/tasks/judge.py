"""An answer graded by a model against a rubric."""

import re
from collections.abc import Sequence

from ..domain.calls import Constraint
from ..prompts.renderer import fenced, template

GRADES = (1, 2, 3, 4, 5)
GRADE = re.compile(r"<grade>\s*([1-5])\s*</grade>", re.IGNORECASE)
UNGRADED = "the judge gave no grade"
"""The explanation of an outcome whose answer got no grade: that is not the same as a bad one."""

CONSTRAINT = Constraint(r'root ::= [^<]{0,400} "<grade>" [1-5] "</grade>"')


def judge_messages(rubric: str, question: str, golds: Sequence[str], answer: str) -> tuple[tuple[str, str], ...]:
    """What the judge is asked: rubric, question, reference answers and answer, each fenced as data."""
    text = template("judge").render(
        rubric=rubric,
        question=fenced(question),
        reference=fenced("\n".join(golds)),
        answer=fenced(answer),
    )
    return (("user", text),)


def read_grade(reply: str) -> float | None:
    """The last grade from 1 to 5 in a judge's reply as a score in [0, 1], or None."""
    grades = GRADE.findall(reply)
    return (int(grades[-1]) - GRADES[0]) / (GRADES[-1] - GRADES[0]) if grades else None
