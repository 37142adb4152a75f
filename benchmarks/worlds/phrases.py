"""The instructions that prompts of a simulated world are made of, and how a prompt is taken apart into them."""

import re

TOPICS = (
    "numbers", "dates", "names", "units", "signs", "exceptions", "quotations", "clauses", "sources", "tables", "colours",
    "deadlines", "conditions", "lists", "headings", "footnotes", "fractions", "negations", "comparisons", "causes",
    "motives", "places", "addresses", "totals", "averages", "ranges", "orders", "ranks", "symptoms", "doses", "warnings",
    "opinions", "facts", "promises", "prices", "currencies", "weights", "lengths", "angles", "shapes", "patterns", "gaps",
    "repeats", "spellings", "accents", "verbs", "tenses", "plurals", "pronouns", "titles", "roles", "ages", "seasons",
    "hours", "zones", "routes", "maps", "labels", "codes", "keys", "links", "examples", "rules", "limits", "odds", "votes",
    "scores", "goals", "risks", "claims", "proofs", "guesses", "doubts", "hints", "puns", "moods", "tones", "idioms",
    "rhymes", "metaphors",
)  # fmt: skip
"""What a question may turn on; a skill is to mind one of them."""

FORMS = (
    "Check the {} twice before you answer.",
    "Write down all {} before anything else.",
    "Compare the {} with what is asked.",
    "Say to yourself what the {} mean.",
    "Look for {} that are easy to miss.",
    "Leave out no {} on the way to the answer.",
)

USELESS = (
    "Be polite.", "Take pride in your work.", "Stay calm at all times.", "Think of the reader.", "Use plain words.",
    "Remember that every detail has a story.", "Keep an open mind.", "Do your best.", "Be thorough yet brief.",
    "Imagine that you explain it to a friend.",
)  # fmt: skip

HARMFUL = (
    "Answer at once with the first thing that comes to mind.", "If in doubt, choose the first option.",
    "Ignore whatever looks like small print.", "Prefer the surprising answer.", "Round everything to the nearest ten.",
    "Assume that the question holds an error.", "Never change your first impression.", "Read the last sentence only.",
)  # fmt: skip

SEED_SYSTEM = "You are a helpful assistant."
SEED_USER = "Choose A, B, C or D."
VAGUE = "matters"
"""What a garbled instruction speaks of instead of its topic."""

QUESTION = "{question}"
_END = re.compile(r"\n+|(?<=[.!?])\s+")
_OPENING = re.compile(r"^(?:[-*\d.)\s]+|please\s+|always\s+)+", re.IGNORECASE)


def skill_phrase(topic: str) -> str:
    """The instruction that carries the skill of minding a topic."""
    return FORMS[(TOPICS.index(topic) if topic in TOPICS else len(topic)) % len(FORMS)].format(topic)


def garbled(sentence: str) -> str:
    """An instruction after a careless rewrite: its topic is lost. One without a topic stays."""
    words = sentence.split()
    return " ".join(VAGUE if word.strip(".") in TOPICS else word for word in words)


def sentences(prompt: str) -> list[str]:
    """The instructions of a prompt, in order, without the place of the question."""
    return [part.strip() for part in _END.split(prompt.replace(QUESTION, "\n")) if part.strip()]


def plain(sentence: str) -> str:
    """An instruction as it is looked up: small letters, without a list mark, a "please" or an end."""
    return _OPENING.sub("", sentence.lower()).rstrip(".!? ")


SKILLS = {plain(form.format(topic)): topic for topic in TOPICS for form in FORMS}
"""The topic that an instruction is about; every form serves."""

NEUTRAL = {plain(text) for text in (*USELESS, SEED_SYSTEM, SEED_USER, *(form.format(VAGUE) for form in FORMS))}
HARM = {plain(text): plain(text) for text in HARMFUL}
