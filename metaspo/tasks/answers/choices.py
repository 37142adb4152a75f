"""Which of a closed set of labels a text chooses. Pure functions; None means that it chooses none, or several."""
# ruff: noqa: RUF001

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from .denials import denies
from .labels import AROUND, Labels
from .languages import ENDINGS, LONGER
from .signs import MARKS, TOGETHER, unwrapped
from .statements import Mention, mentions
from .words import Roles, is_sure, roles_of, tokens_of

NEARBY = 60
"""How many characters before a label of one character are looked at for what announces it."""
BESIDE = re.compile(r"[\s*_`\"')\]}]*[,、][\s*_`\"'(\[{]*|[ \t*_]+")
"""What may stand between two labels that are given side by side without a word."""
GOES_ON = re.compile(r"\s+(?:it|this|that|the|there)\b", re.IGNORECASE)
ALWAYS_WORDS = frozenset("ai")
SOMETIMES_WORDS = frozenset("aieoyuzwkvsàаивксуояو")
"""Letters that are words: in English, and in some other language."""
INITIAL = re.compile(r"\. ?[a-z]{3,}")
"""What follows a letter that is short for a name: "C. difficile"."""
NEXT_WORD = re.compile(rf"\s*([\w{MARKS}]+)")
INSIDE = re.compile(rf"[\w{MARKS}]")
KANA = re.compile("[\u30a1-\u30ff]")
HIRAGANA = re.compile("[\u3041-\u309f]")
HANGUL = re.compile("[\uac00-\ud7af]")
ONE_SCRIPT = re.compile(f"[{TOGETHER}]")


def without_scale(text: str, top: str) -> str:
    """The text without the scale of a rating: "4/5" and "4 stars out of 5" say 4 where `top` is 5."""
    return re.sub(rf"(?<=\d)((?:\s{{1,3}}stars?)?)\s{{0,3}}(?:/|\bout of\b)\s{{0,3}}{re.escape(top)}\b(?!\.\d)", r"\1", text)


def read_choice(text: str, labels: Sequence[str], synonyms: Mapping[str, Sequence[str]] | None = None) -> str | None:
    """The one label that `text` chooses; `synonyms` are other spellings of a label.

    In this order: the text is a label; a label is announced ("The answer is C"), the last time that one is; it
    stands in brackets ("(b)"); it is all that the first or the last line says; it is the only label named as a word of
    its own.
    What is denied, asked about or said in a language whose denials are not known does not count. Two different
    labels with equal right are no answer.
    """
    return choice_of(text, Labels.of(labels, synonyms or {}))


def choice_of(text: str, labels: Labels) -> str | None:
    """`read_choice` for labels that are ready to use."""
    text = unwrapped(text).strip()
    if labels.digits:
        text = without_scale(text, labels.highest)
    for whole in (text, text.lstrip("# ").strip(AROUND)):
        if found := labels.spelled(whole):
            return found
    named = list(_places(text, labels))
    if not named:
        return None
    said = mentions(text, named)
    if words := [one for one in said if not one.announced and _denies_more(text, one, labels)]:
        # "There is no reason to say yes" names one label, and denies it with a word that is another one.
        starts = {one.start for one in words}
        said = mentions(text, [place for place in named if place[0] not in starts])
    for chosen in (_announced(said, text), _bracketed(said, text, labels)):
        if chosen is not None:
            return chosen[0] if len(chosen) == 1 else None
    line = _own_line(text, labels, said)
    if line is not None:
        return line
    there = [one for one in said if not (one.denied or one.asked or _is_word(text, one, labels) or _is_heading(text, one))]
    if any(not one.known for one in there):
        return None
    # "Vitamin C" is no answer: a lone letter has to stand where an answer stands.
    letters = [one for one in there if _is_letter(text[one.start : one.end])]
    if letters and len(letters) == len(there) and not any(one.leads for one in letters):
        return None
    found = _only(there)
    # "B, I think. Wait, B is wrong."
    return None if any(one.refuted and one.value == found and one.start > there[-1].start for one in said) else found


def stated(text: str, labels: Labels) -> str | None:
    """The label that `text` is, or that it announces. One among other words is none: "very positive" is not "positive"."""
    text = unwrapped(text).strip()
    for whole in (text, text.strip(AROUND)):
        if found := labels.spelled(whole):
            return found
    chosen = _announced(mentions(text, list(_places(text, labels))), text)
    return chosen[0] if chosen is not None and len(chosen) == 1 else None


def _only(found: Sequence[Mention]) -> str | None:
    different = {one.value for one in found}
    return different.pop() if len(different) == 1 else None


def _announced(said: Sequence[Mention], text: str) -> list[str] | None:
    """The labels that are announced last, side by side; empty where something later takes them back."""
    announced = [one for one in said if one.announced and not one.denied and not one.asked and not _announces_a_word(text, one)]
    if not announced:
        return None
    last = announced[-1]
    chosen = {one.value for one in [last, *(one for one in said if beside(text, last, one))]}
    for one in said:
        if one.start > last.end and one.group != last.group:
            other = one.value not in chosen and one.corrects and one.leads and not one.denied and not one.asked
            if other or (one.value in chosen and one.refuted):
                return []
    return sorted(chosen)


def beside(text: str, last: Mention, one: Mention) -> bool:
    """Whether a value is given together with one before it, that is announced: "The answer is A or B"."""
    if one.denied or one.goes_on:
        return False
    return one.group == last.group or BESIDE.fullmatch(text[last.end : max(last.end, one.start)][: NEARBY + 1]) is not None


def _announces_a_word(text: str, one: Mention) -> bool:
    return text[one.start : one.end].casefold() in ALWAYS_WORDS and _followed_by_a_word(text, one)


def _bracketed(said: Sequence[Mention], text: str, labels: Labels) -> list[str] | None:
    if not labels.letters:
        return None
    found = {
        one.value
        for one in said
        if not one.denied
        and not one.asked
        and re.fullmatch(r"\(.\)|\[.\]", text[max(0, one.start - 1) : one.end + 1])
        and not re.match(r"\w", text[max(0, one.start - 2) : max(0, one.start - 1)])
    }
    return sorted(found) or None


def _own_line(text: str, labels: Labels, said: Sequence[Mention]) -> str | None:
    """The label that is all the first line says, or the last one, where no other line is one and nothing takes it back."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    if len(lines) < 2:
        return None
    rest = [*lines[1:-1], lines[-1]] if (label := _alone(lines[0], labels)) else lines[:-1]
    label = label or _alone(lines[-1], labels)
    if label is None or any(labels.spelled(line.strip(AROUND + "-)0123456789")) for line in rest[:20] + rest[-20:]):
        return None
    if rest == lines[:-1]:
        return label if rest[-1][-1] in ".!?。！？*`" and not (said[-1].denied or said[-1].asked) else None
    taken_back = any(one.refuted if one.value == label else one.corrects for one in said[1:])
    return None if taken_back or said[0].denied or said[0].asked else label


def _alone(line: str, labels: Labels) -> str | None:
    """The label that a line is; none where it is but the heading of what follows."""
    return None if line.rstrip(" *_").endswith(":") else labels.spelled(line.strip(AROUND))


def _is_heading(text: str, one: Mention) -> bool:
    """Whether a label is the heading of lines that follow."""
    if not re.match(r"[*_]{0,2}:[*_]{0,2}[ \t]*\n", text[one.end : one.end + 12]):
        return False
    return not text[text.rfind("\n", 0, one.start) + 1 : one.start].strip(" *_#")


def _is_letter(text: str) -> bool:
    return len(text) == 1 and text.isalpha()


def _denies_more(text: str, one: Mention, labels: Labels) -> bool:
    """Whether a label is but a word that denies what follows: "there is no evidence for yes"."""
    spelled = text[one.start : one.end].casefold()
    return len(spelled) > 1 and denies(spelled) and not one.optional and _is_word(text, one, labels)


def _is_word(text: str, one: Mention, labels: Labels) -> bool:
    """Whether a label is but a word of the sentence: "A patient", "I think", "a Dog", "there is no doubt"."""
    spelled = text[one.start : one.end].casefold()
    line = text.rfind("\n", 0, one.start) + 1
    if INITIAL.match(text, one.end) and one.end - one.start == 1 and INSIDE.search(text, line, one.start):
        return not one.optional
    if one.optional or (spelled not in SOMETIMES_WORDS and not denies(spelled)):
        return False
    if len(spelled) > 1 and is_sure(text[one.start : one.end + 30]):
        return True
    if len(spelled) > 1 and not INSIDE.search(text[max(0, one.start - NEARBY) : one.start]):
        return _denies_a_verb(text, one)
    if "after" in roles_of(spelled) and not ONE_SCRIPT.match(spelled):
        return True
    if spelled in SOMETIMES_WORDS - ALWAYS_WORDS and one.leads and text[one.start : one.end].isascii():
        return False
    return _followed_by_a_word(text, one)


def _is_english(roles: Roles) -> bool:
    return any("English" in languages for languages in roles.values())


def _denies_a_verb(text: str, one: Mention) -> bool:
    """Whether a word for no, which opens a text, belongs to the next word: "No sé". English "No harmful words" is a no."""
    word = re.match(rf"[ \t]+([\w{MARKS}]+)", text[one.end : one.end + 30])
    if word is None or not denies(text[one.start : one.end]):
        return False
    own, next_word = roles_of(text[one.start : one.end]), roles_of(word[1])
    foreign = bool(next_word) and not _is_english(next_word)
    return not _is_english(own) or not word[1].isascii() or foreign


def _followed_by_a_word(text: str, one: Mention) -> bool:
    rest = text[one.end : one.end + 40]
    follows = re.match(r"[ \t]+\w" if text[one.start : one.end].islower() else r"[ \t]+(?:[a-z\d]|[^\W\d_A-Z])", rest)
    if not follows or GOES_ON.match(rest):
        return False
    word = NEXT_WORD.match(rest)
    return not (word and {"is", "but", "join"} & roles_of(word[1]).keys())


def _places(text: str, labels: Labels) -> Iterator[tuple[int, int, str]]:
    """Where the text names a label as a word of its own, and which: start, end and label."""
    at = 0
    while match := labels.pattern.search(text, at):
        found = _is_apart(text, match.start(), match.end()) or _ends_a_run(text, match)
        if found:
            yield match.start(), match.end(), labels.spelled(match[0]) or ""
        at = match.end() if found else match.start() + 1


def _is_apart(text: str, start: int, end: int) -> bool:
    """Whether what stands at a place is no part of a longer word or number."""
    first, last, word = text[start], text[end - 1], text[start:end]
    before, after = text[start - 1 : start], text[end : end + 1]
    if any(text.startswith(longer, start) for longer in LONGER if longer.startswith(word)):
        return False
    if after and unicodedata.category(after) in ("Mn", "Mc"):
        return False
    if before and _one_word(before, first, word) and not (HANGUL.match(first) and not HANGUL.match(before)):
        return False
    if after and _one_word(last, after, word) and not (HANGUL.match(last) and len(word) > 1):
        return False
    if re.search(r"[^\W_]_\Z", text[max(0, start - 2) : start]) or re.match(r"_[^\W_]", text[end : end + 2]):
        return False  # "not_urgent"; "_urgent_" is but emphasized.
    if re.search(r"\w['-]\Z|[-]\Z|\d[.,]\Z", text[max(0, start - 2) : start]) and INSIDE.match(first):
        return False
    return not re.match(r"['-]\w|[.,]\d|[+#]", text[end : end + 2]) or _has_ending(text, end)


def _has_ending(text: str, end: int) -> bool:
    """Whether a label has an ending that Turkish puts behind names: "B'dir"."""
    return re.match(r"'(?:[dt][iıuü]r|y[iıuü]|[iıuü]n?|[dt][ae]n?)\b", text[end : end + 5], re.IGNORECASE) is not None


def _one_word(one: str, other: str, word: str) -> bool:
    """Whether two characters next to each other are of one word."""
    if not (INSIDE.match(one) and INSIDE.match(other)) or "_" in (one, other):
        return False
    together = ONE_SCRIPT.match(one), ONE_SCRIPT.match(other)
    if all(together):
        if KANA.match(one) and KANA.match(other):
            return True
        if HANGUL.match(one) and HANGUL.match(other):
            return True
        return len(word) == 1 or all(HIRAGANA.match(sign) for sign in word)
    return not any(together) and _script(one) == _script(other)


@lru_cache(4096)
def _script(sign: str) -> str:
    """The script of a letter as far as words go on in it; digits go on in any that puts spaces between words."""
    name = unicodedata.name(sign, "").split()[0] if unicodedata.name(sign, "") else ""
    return "LATIN" if name in ("LATIN", "DIGIT", "GREEK", "CYRILLIC", "COMBINING", "LOW", "SUPERSCRIPT", "SUBSCRIPT") else name


def _ends_a_run(text: str, match: re.Match[str]) -> bool:
    """Whether a label of one character, within a run of letters without spaces, is announced and ends what is said.

    "答案是否" says 否 where the labels are 是 and 否, "是的" says 是, and "是否" says neither.
    """
    if not ONE_SCRIPT.match(match[0]):
        return False
    rest = text[match.end() : match.end() + 12]
    ending = next((ending for ending in sorted(ENDINGS, key=len, reverse=True) if rest.startswith(ending)), "")
    after = rest[len(ending) : len(ending) + 1]
    if (after and INSIDE.match(after)) or (not ending and rest and INSIDE.match(rest)):
        return False
    before = text[max(0, match.start() - NEARBY) : match.start()]
    if not before or not INSIDE.match(before[-1]):
        return True
    tokens = tokens_of(before, [])
    for token in reversed(tokens):
        if token.has("answer"):
            return token is not tokens[-1]
        if not any(token.has(role) for role in ("is", "fill", "option")):
            return False
    return False
