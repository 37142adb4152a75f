"""An answer graded by a model against a rubric."""

import re
from collections.abc import Sequence

from ...domain.calls import Constraint
from ...domain.messages import Message
from ...domain.thoughts import without_thoughts
from ...prompts.renderer import fenced, template

GRADES = (1, 2, 3, 4, 5)
NUMBER = r"([1-5](?:[.,]\d{1,3})?)(?![\d.,]*\d)(?:\s*(?:stars?|points?)?\s*(?:/|(?:out )?of)\s*(\d+)(?:\.0)?)?"
TAGGED = re.compile(r"<grade>(.*?)</grade>", re.IGNORECASE | re.DOTALL)
WITHIN = re.compile(rf"[\s*_`\"'(\[]*{NUMBER}[\s*_`\"')\].]*(?:points?|stars?)?[\s.]*", re.IGNORECASE)
NO_OTHER = r"(?!\w)(?!\s*(?:stars?|points?)?\s*(?:out )?of\b)(?!.*[\d%/])"
FIRST = re.compile(rf"[\s*_`\"'(\[]*{NUMBER}{NO_OTHER}", re.IGNORECASE | re.DOTALL)
"""A grade with more words after it, none of which is another number, or a scale."""
NAMED = re.compile(rf"\b(?:grade|score|rating)\b[\s*_`\"']*(?:is|of|[:=])[\s*_`\"'(\[]*{NUMBER}", re.IGNORECASE)

CONSTRAINT = Constraint(r'root ::= [^<]{0,400} "<grade>" [1-5] "</grade>"')


def judge_messages(rubric: str, question: str, golds: Sequence[str], answer: str) -> tuple[Message, ...]:
    """What the judge is asked: rubric, question, reference answers where there are any, and answer, each fenced as data."""
    parts = {"rubric": rubric, "question": fenced(question), "answer": fenced(answer)}
    if golds:
        text = template("judge").render(**parts, reference=fenced("\n".join(golds)))
    else:
        text = template("judge_alone").render(**parts)
    return (("user", text),)


def reasons(explanation: str) -> str:
    """What a judge said of an answer, without the grade's tag."""
    return TAGGED.sub("", explanation).strip()


def read_grade(reply: str) -> float | None:
    """The grade in a judge's reply as a score in [0, 1], or None where it gives none that can be told.

    The last tag counts, and where there is no tag the grade that is named as one ("**Grade: 4**"), or a reply of
    nothing but a number. Parts of a grade count ("4.5", "4/5"); a grade on another scale, or out of it, is none.
    """
    reply = without_thoughts(reply)
    tagged = TAGGED.findall(reply)
    if tagged:
        return _score(WITHIN.fullmatch(tagged[-1]) or FIRST.match(tagged[-1]) or NAMED.fullmatch(tagged[-1].strip(" \t\n*_")))
    if alone := WITHIN.fullmatch(reply):
        return _score(alone)
    named = {_score(match) for match in NAMED.finditer(reply)}
    return named.pop() if len(named) == 1 else None


def _score(grade: re.Match[str] | None) -> float | None:
    if grade is None or (grade[2] and int(grade[2]) != GRADES[-1]):
        return None
    value = float(grade[1].replace(",", "."))
    return (value - GRADES[0]) / (GRADES[-1] - GRADES[0]) if value <= GRADES[-1] else None
