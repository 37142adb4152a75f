"""Answers as they were read by the first rules, for runs that began by them. Frozen: a change would change their scores."""

import re
from decimal import Decimal

from .numerals import NUMBER_WORDS
from .reader_spec import ReaderSpec

SIGNS = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u00a0": " ", "\u202f": " "})
SIGNS |= str.maketrans({"\u2010": "-", "\u2011": "-", "\u2013": "-", "\u2212": "-"})
"""Typographic quotes, spaces, hyphens, dashes and minus signs, and the plain ones that they are read as."""

NEARBY = 60
"""How many characters before a label are looked at for what they say about it."""
AROUND = " \t\r\n.,;:!?*_`\"'()[]{}"
ANNOUNCED = (
    r"\b(?:(?:answer|choice|option|label|rating|result)\b[\s*_]*(?:(?:is|would be|should be)\b|[:=])"
    r"|(?:answer|label|rating|result)\b)"
    r"(?:[\s:*_`\"'(\[{$]|\\boxed|\\text|\b(?:the|option|choice|letter|clearly|definitely|probably|likely|most likely)\b)*"
)
"""What comes before an answer that is announced as one, with the decoration around it."""
JOINED = r"[\s*_`\"')\]}]*(?:[,/&]|\bor\b|\band\b)(?:[\s,/&]|\bor\b|\band\b)*(?:option\s+|choice\s+)?[*_`\"'(\[{]*"
"""What comes between two answers that are given side by side."""
GOES_ON = re.compile(r"\s+(?:is|because|since|as|and|or|but|it|this|that|the|there)\b", re.IGNORECASE)
NEGATED = re.compile(
    r"(?:\bnot|\bcannot|n't|\bnever|\brather than|\binstead of|\bneither|\bnor)\s+(?:[a-z]+\s+)?[\"'(\[*_]*\Z", re.IGNORECASE
)
LEADS_TO_A_LETTER = re.compile(
    r"(?:^|[^\w\s'-]|\b(?:is|be|it's|that's|with|choose|pick|select|say|think|guess|option|choice|letter|or|and|but"
    r"|clearly|definitely|probably|likely|so|thus|therefore|hence|to|for))[ \t]*[\"'*_]*\Z",
    re.IGNORECASE | re.MULTILINE,
)

TAG = re.compile(r"<answer>((?:(?!<answer>).)*?)</answer>", re.IGNORECASE | re.DOTALL)
FIGURE = r"(?<![\w.,])(?<![a-z]-)([-+]?\$?(?:(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+)(?:e[-+]?\d{1,2})?)(?!\w)(?![.,]\d)"
NUMBER = re.compile(FIGURE, re.IGNORECASE)
ANNOUNCED_NUMBER = re.compile(ANNOUNCED + FIGURE, re.IGNORECASE)
SECOND_NUMBER = re.compile(rf"(?:{JOINED}|\s*(?:-|\bto\b)\s*){FIGURE}", re.IGNORECASE)


def plain_signs(text: str) -> str:
    """The text with typographic quotes, spaces and dashes made plain."""
    return text.translate(SIGNS)


def without_scale(text: str, top: str) -> str:
    """The text without the scale of a rating: "4/5" and "4 stars out of 5" say 4 where `top` is 5."""
    return re.sub(rf"(?<=\d)((?:\s+stars?)?)\s*(?:/|\bout of\b)\s*{re.escape(top)}\b(?!\.\d)", r"\1", text)


def tagged(reply: str) -> str | None:
    """What stands in the last closed answer tag."""
    tags = TAG.findall(reply)
    return tags[-1] if tags else None


def read_choice(text: str, labels: list[str]) -> str | None:
    """The one label that `text` chooses.

    In this order: the text is a label; a label is announced ("The answer is C"), the last time that
    one is; it stands in brackets ("(b)"); it is the only label named as a word of its own, negated
    ones aside. Two different labels with equal right are no answer.
    """
    text = plain_signs(text).strip()
    if all(label.isdecimal() for label in labels):
        text = without_scale(text, max(labels, key=int))
    for whole in (text, text.strip(AROUND)):
        if found := _spelled(whole, labels):
            return found
    letters = all(len(label) == 1 and label.isalpha() for label in labels)
    # The longest first: "not urgent" before "urgent".
    some = "|".join(re.escape(plain_signs(label)) for label in sorted(labels, key=len, reverse=True))
    some = rf"({some})(?!['-]?\w)(?![.,]\d)"
    announced = [m for m in re.finditer(ANNOUNCED + some, text, re.IGNORECASE) if not _is_word(text, m, ("a", "i"))]
    if announced:
        last = announced[-1]
        second = re.match(rf"{JOINED}{some}(?!\s+(?:is|isn't|does|would)\b)", text[last.end() :], re.IGNORECASE)
        return _only([last] + ([second] if second else []), labels)
    if letters:
        bracketed = [m for m in re.finditer(rf"[(\[]{some}[)\]]", text, re.IGNORECASE) if not _stands_after(NEGATED, text, m)]
        if bracketed:
            return _only(bracketed, labels)
    named = [m for m in re.finditer(rf"(?<![\w-])(?<!\w')(?<!\d[.,]){some}", text, re.IGNORECASE) if _is_named(text, m)]
    # "Vitamin C" is no answer: a lone letter has to stand where an answer stands.
    if letters and not any(_stands_after(LEADS_TO_A_LETTER, text, match) for match in named):
        return None
    return _only(named, labels)


def _only(found: list[re.Match[str]], labels: list[str]) -> str | None:
    different = {_spelled(match[1], labels) for match in found}
    return different.pop() if len(different) == 1 else None


def _spelled(text: str, labels: list[str]) -> str | None:
    """The label that `text` is, as the task spells it; compared as the patterns compare."""
    same = (label for label in labels if re.fullmatch(re.escape(plain_signs(label)), text, re.IGNORECASE))
    return next(same, None)


def _is_named(text: str, match: re.Match[str]) -> bool:
    opens = not re.search(r"\w", text[: match.start()])
    return not _is_word(text, match, ("a", "i") if opens else ("a", "i", "no")) and not _stands_after(NEGATED, text, match)


def _stands_after(words: re.Pattern[str], text: str, match: re.Match[str]) -> bool:
    return words.search(text, max(0, match.start() - NEARBY), match.start()) is not None


def _is_word(text: str, match: re.Match[str], words: tuple[str, ...]) -> bool:
    """Whether a label is but a word of the sentence: "A patient", "I think", "a Dog", "there is no doubt"."""
    rest = text[match.end() :]
    follows = re.match(r"[ \t]+\w" if match[1].islower() else r"[ \t]+[a-z\d]", rest)
    return match[1].casefold() in words and follows is not None and not GOES_ON.match(rest)


def read_number(text: str, spec: ReaderSpec) -> str | None:
    """The number that is announced, the last time that one is, or else the only one there is.

    A text of nothing but a number word ("Seven.") is read as well; within a sentence "one" is too often no number.
    """
    text = plain_signs(text)
    if (word := text.strip(AROUND).casefold()) in NUMBER_WORDS:
        text = str(NUMBER_WORDS.index(word))
    if spec.kind == "integer" and spec.maximum is not None:
        text = without_scale(text, f"{spec.maximum:g}")
    announced = list(ANNOUNCED_NUMBER.finditer(text))
    found = [announced[-1], SECOND_NUMBER.match(text, announced[-1].end())] if announced else NUMBER.finditer(text)
    values = {Decimal(re.sub(r"[,$]", "", match[1])) for match in found if match}
    if len(values) != 1:
        return None
    value = values.pop()
    if spec.kind == "integer" and value != value.to_integral_value():
        return None
    low, high = spec.minimum, spec.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        return None
    return _plain(value)


def _plain(value: Decimal) -> str:
    digits = format(value, "f")
    digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
    return digits if value else "0"
