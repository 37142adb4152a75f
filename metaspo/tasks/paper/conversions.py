"""From a record as the hub has it to a draft of an example: one pure function a source family.

A conversion gets the record and a generator that is seeded for this record alone, so that a shuffle
does not depend on what was read before. What can't become an example raises Unusable with a reason
that is counted in the manifest.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from ..answers.numerals import NUMBER_WORDS
from ..likeness import context

Record = Mapping[str, Any]
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LIES = {"pants-fire": "yes", "false": "yes", "barely-true": "yes", "mostly-true": "no", "true": "no"}
"""LIAR's six labels as "is this a lie?"; half-true is neither and left out."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A question with its accepted answers, before the draw.

    `group`: drafts of one group are never on both sides of the split ("" for none).
    `passages`: what a context is retrieved from; the question then holds none yet.
    """

    question: str
    answers: tuple[str, ...]
    group: str = ""
    passages: tuple[str, ...] = ()


class Unusable(Exception):
    """A record that can't become an example; the message is the reason, the same for all of a kind."""


Conversion = Callable[[Record, Random], Draft]


def with_options(question: str, options: Sequence[str]) -> str:
    """The question with its options below, lettered from A on."""
    lines = [f"({letter}) {str(option).strip()}" for letter, option in zip(LETTERS, options, strict=False)]
    return "\n".join([question.strip(), *lines])


def medmcqa(record: Record, random: Random) -> Draft:
    """MedMCQA. `cop` counts from 0 on the hub, and is -1 in its unlabelled test split.

    The options keep their order: some of them name others by letter or by "above".
    """
    if record["cop"] not in range(4):
        raise Unusable("no label")
    options = [record[key] for key in ("opa", "opb", "opc", "opd")]
    return Draft(with_options(record["question"], options), (LETTERS[record["cop"]],))


def amazon(record: Record, random: Random) -> Draft:
    """Amazon Reviews 2023: title and text, the rating from 1 to 5 (a float on the hub)."""
    title, text = (str(record[key] or "").strip() for key in ("title", "text"))
    if not text:
        raise Unusable("no text")
    rating = float(record["rating"])
    if rating not in (1, 2, 3, 4, 5):
        raise Unusable("no rating from 1 to 5")
    return Draft(f"title: {title}\ntext: {text}", (str(int(rating)),))


def bigbench_options(record: Record, random: Random) -> Draft:
    """BIG-bench with lettered options, shuffled: temporal_sequences lists the gold one first in every item."""
    options = list(record["multiple_choice_targets"])
    gold = _gold_option(record)
    random.shuffle(options)
    if len(set(options)) < len(options):
        raise Unusable("the same option twice")
    question = _bigbench_question(record)
    answer = LETTERS[options.index(gold)]
    return Draft(with_options(f"{question}\nOptions:", options), (answer,), group=context(question))


def bigbench_label(record: Record, random: Random) -> Draft:
    """BIG-bench whose options are one closed set: the answer is the option's own text."""
    question = _bigbench_question(record)
    return Draft(question, (_gold_option(record).strip(),), group=context(question))


def bigbench_open(record: Record, random: Random) -> Draft:
    """BIG-bench with a free answer; a number is accepted as a word and in digits."""
    targets = [str(target).strip() for target in record["targets"] if str(target).strip()]
    if not targets:
        raise Unusable("no answer")
    question = _bigbench_question(record)
    return Draft(question, number_forms(targets), group=context(question))


def number_forms(answers: Sequence[str]) -> tuple[str, ...]:
    """The answers, each number up to twenty also in its other form: "two" and "2"."""
    both: list[str] = []
    for answer in answers:
        both.append(answer)
        if answer.casefold() in NUMBER_WORDS:
            both.append(str(NUMBER_WORDS.index(answer.casefold())))
        elif answer.isdecimal() and int(answer) < len(NUMBER_WORDS):
            both.append(NUMBER_WORDS[int(answer)])
    return tuple(dict.fromkeys(both))


def _gold_option(record: Record) -> str:
    scores = zip(record["multiple_choice_targets"], record["multiple_choice_scores"], strict=True)
    gold = [str(option) for option, score in scores if score == 1]
    if len(gold) != 1:
        raise Unusable("no single gold option")
    return gold[0]


def _bigbench_question(record: Record) -> str:
    """The input without the frame that the hub puts around it: "Q: ", one "choice:" a line, "A:"."""
    lines = [line for line in str(record["inputs"]).split("\n") if not line.strip().startswith("choice:")]
    text = "\n".join(lines).strip()
    return re.sub(r"\n[A-Z][a-z]*:\Z", "", text).removeprefix("Q: ").strip()


def binary(text: str, label: str, yes: Any, no: Any, group: str = "") -> Conversion:
    """The conversion of a data set with a text and a label of two values; `group` is a field."""

    def convert(record: Record, random: Random) -> Draft:
        answer = {yes: "yes", no: "no"}.get(record[label])
        if answer is None:
            raise Unusable("no label")
        if not str(record[text]).strip():
            raise Unusable("no text")
        return Draft(str(record[text]).strip(), (answer,), f"{record.get(group) or ''}" if group else "")

    return convert


def liar(record: Record, random: Random) -> Draft:
    """LIAR: is the statement a lie? Both the two-label form of UKPLab/liar and the original six labels."""
    label = str(record.get("label_text") or record.get("label") or "").strip().lower()
    answer = {"false statement": "yes", "true statement": "no"}.get(label) or LIES.get(label)
    if answer is None:
        raise Unusable("half-true, neither a lie nor the truth" if label == "half-true" else "no label")
    fields = {
        "Statement": ("text", "statement"),
        "Job title": ("job_title", "speaker_job_title"),
        "State": ("state_info", "state"),
        "Party": ("party_affiliation", "party"),
        "Context": ("context",),
    }
    found = {name: next((str(record[key]) for key in keys if record.get(key)), "") for name, keys in fields.items()}
    if not found["Statement"].strip():
        raise Unusable("no text")
    return Draft("\n".join(f"{name}: {value.strip()}" for name, value in found.items() if value), (answer,))


def hh_rlhf(record: Record, random: Random) -> Draft:
    """hh-rlhf, harmless-base: is the assistant's last reply harmful?

    A pair becomes one example: a coin decides between the dialogue that people preferred ("no") and
    the other one ("yes"). That is a noisy label, since the preferred reply may be harmful as well and
    the other one only worse. Pairs on one conversation stay on one side of the split.
    """
    chosen, rejected = (str(record[key]).strip() for key in ("chosen", "rejected"))
    if chosen == rejected:
        raise Unusable("both replies are the same")
    dialogue, answer = (chosen, "no") if random.random() < 0.5 else (rejected, "yes")
    before, turn, reply = dialogue.rpartition("Assistant:")
    if not turn or not reply.strip():
        raise Unusable("no reply")
    return Draft(dialogue, (answer,), group=chosen.rpartition("Assistant:")[0].strip() or before.strip())


CONVERSIONS: Mapping[str, Conversion] = {
    "medmcqa": medmcqa,
    "amazon": amazon,
    "bigbench_options": bigbench_options,
    "bigbench_label": bigbench_label,
    "bigbench_open": bigbench_open,
    "liar": liar,
    "tweet_eval": binary("text", "label", 1, 0),
    "hatecheck": binary("test_case", "label_gold", "hateful", "non-hateful", group="templ_id"),
    "sarcasm": binary("headline", "is_sarcastic", 1, 0),
    "ethos": binary("text", "label", 1, 0),
    "hh_rlhf": hh_rlhf,
}
"""Every conversion but those of the grounding tasks, which stand in grounding.py."""
