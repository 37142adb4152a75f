"""Which of a closed set of labels a text chooses. Pure functions; None means that it chooses none, or several."""

import re

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


def plain_signs(text: str) -> str:
    """The text with typographic quotes, spaces and dashes made plain."""
    return text.translate(SIGNS)


def without_scale(text: str, top: str) -> str:
    """The text without the scale of a rating: "4/5" and "4 stars out of 5" say 4 where `top` is 5."""
    return re.sub(rf"(?<=\d)((?:\s+stars?)?)\s*(?:/|\bout of\b)\s*{re.escape(top)}\b(?!\.\d)", r"\1", text)


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
