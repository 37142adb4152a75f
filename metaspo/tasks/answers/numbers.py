"""The number that a text states: in full, or none. Pure functions.

A number is never read in part: where what stands beside the digits belongs to them and is not understood (a date, a
range, a fraction, a unit that may be a scale), the text has no number that can be told.
"""
# ruff: noqa: RUF001

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from . import numerals
from .choices import beside, without_scale
from .labels import AROUND
from .languages import BOUNDS, SCALES, UNITS
from .numerals import NUMBER_WORDS
from .reader_spec import ReaderSpec
from .signs import MARKS, TOGETHER, unwrapped
from .statements import mentions

HIGHEST_POWER = 308
LETTER = rf"(?:(?![\d_{TOGETHER}])[\w{MARKS}])"
WORD = rf"{LETTER}(?:(?![{TOGETHER}])[\w{MARKS}])*+(?:[-.]\d\w*+)*+"
"""A word, digits inside it or behind its hyphen included: "B12", "COVID-19", "v1.2"."""
EXPONENT = re.compile(
    r"[eE]([-+]?\d+)(?!\w)|\s?(?:×|x|X|\*|·|⋅)\s?10\s?(?:(?:\^|\*\*)\s?[{(]?\s?([-+]?\d+)\s?[)}]?|([⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+))"
)
POWER = re.compile(r"\s?(?:\^|\*\*)\s?[{(]?\s?([-+]?\d+)\s?[)}]?|([⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)")
RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
GOES_ON = re.compile(r"\.?[eE][-+]?\d|'s\b|[.,'’_]?\d[\d.,'’_]*+|\s?(?:[\u00bc-\u00be\u2150-\u215e]|[⁰¹²³⁴⁵⁶⁷⁸⁹‰]|\d+/\d)")
"""What makes digits a part of something longer: further digits, a fraction."""
ATTACHED = re.compile(rf"(?:°\s?[CF]\b|{LETTER}+[²³]?(?:/{LETTER}+[²³]?)?)")
TOGETHER_SCALES = "|".join(sorted((word for word in SCALES if re.match(f"[{TOGETHER}]", word)), key=len, reverse=True))
APART = re.compile(rf"[\s-]?\s?({LETTER}+|{TOGETHER_SCALES})\.?")
RAISED_UNIT = re.compile(rf"\s?(?:{LETTER}{{1,5}}/)?{LETTER}{{1,5}}\^\{{?-?\d\}}?")
"""A unit with a power: "m/s^2"."""
ORDINAL = frozenset({"st", "nd", "rd", "th"})
PARTIAL = re.compile(rf"\s?(?:(?:and|und|et|y|e|&)\s)?(?:a\s|an\s)?({LETTER}+)", re.IGNORECASE)
BOUND_BEFORE = re.compile(numerals.BOUND_BEFORE.format("|".join(BOUNDS)), re.IGNORECASE)
BOUND_AFTER = re.compile(numerals.BOUND_AFTER, re.IGNORECASE)
AFTER = re.compile(rf"\s?(?:%|°|{numerals.CURRENCY})(?![\d(])", re.IGNORECASE)
OPERATOR = re.compile(numerals.OPERATOR, re.IGNORECASE)
EQUALS = re.compile(numerals.EQUALS)
COUNTED = re.compile(rf"\A\s?{LETTER}{{1,12}}(?:/{LETTER}{{1,5}})?[²³]?(?=\s*[-+*×·⋅÷/=≈])")
"""What is counted, within a sum: "60 km/h × 2 h = 120 km"."""
PARTS = frozenset({*NUMBER_WORDS, *numerals.MORE_NUMBER_WORDS})
MATHEMATICS = re.compile(r"(?<![\d\w])\$(?!\s)([^$\n]{1,80}?)(?<!\s)\$(?!\d)")
SIGNED = {"\\times": "×", "\\cdot": "·", "\\approx": "≈", "\\sim": "~", "\\pm": "±", "\\div": "÷", "\\le": "≤", "\\ge": "≥"}


@dataclass(frozen=True, slots=True)
class Figure:
    """A number in a text. `value` is None where the digits are part of what is not understood."""

    start: int
    end: int
    value: Decimal | None


def read_number(text: str, spec: ReaderSpec) -> str | None:
    """The number that is announced, the last time that one is, or else the only one there is; in plain digits.

    A number word is read where it is all that the text says, or all that it announces.
    """
    text = _prepared(text)
    if (word := text.strip(AROUND).casefold()) in NUMBER_WORDS:
        text = str(NUMBER_WORDS.index(word))
    if spec.kind == "integer" and spec.maximum is not None:
        text = without_scale(text, f"{spec.maximum:g}")
    figures = list(_figures(text, spec.decimal == "comma"))
    value = _stated(text, figures) if figures else _stated(text, list(_words(text)), alone=False)
    return None if value is None else _within(value, spec)


def plain_number(value: Decimal) -> str:
    """A number in plain digits, without zeros that say nothing."""
    digits = format(value, "f")
    digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
    return digits if value else "0"


def _within(value: Decimal, spec: ReaderSpec) -> str | None:
    if spec.kind == "integer" and value != value.to_integral_value():
        return None
    low, high = spec.minimum, spec.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        return None
    return plain_number(value)


def _prepared(text: str) -> str:
    text = unwrapped(text)
    for command, sign in SIGNED.items():
        text = text.replace(command, sign)
    if not re.search(r"[^\W\d_]", text):
        text = text.replace("?", " ")
    text = re.sub(r"=\s{0,3}-\s{1,3}(?=[\d.])", "= -", text)
    return MATHEMATICS.sub(r"\1", text) if "$" in text else text


def _stated(text: str, figures: Sequence[Figure], alone: bool = True) -> Decimal | None:
    """The value that the text states of those that it has; one that nothing announces only where it may stand `alone`."""
    said = mentions(text, [(figure.start, figure.end, str(at)) for at, figure in enumerate(figures)])
    announced = [one for one in said if one.announced and not (one.refuted or one.near or one.ahead or one.asked)]
    if announced:
        last = announced[-1]
        chosen = [last, *(one for one in said if beside(text, last, one))]
        if any(one.start > last.end and one.corrects and one.leads and one not in chosen for one in said):
            return None
    elif alone:
        chosen = [one for one in said if not (one.refuted or one.near or one.asked or (one.announced and one.ahead))]
    else:
        return None
    if len(figures) == 1 and re.fullmatch(r"\s*\(.*\)\s*", text, re.DOTALL):
        return None  # (5) is 5, or what accountants write for -5.
    return _one([figures[int(one.value)].value for one in chosen])


def _one(values: Sequence[Decimal | None]) -> Decimal | None:
    different = set(values)
    return different.pop() if len(different) == 1 else None


def _words(text: str) -> Iterator[Figure]:
    """Number words that end what is said: "The answer is seven."."""
    if len(text) > 20_000:
        return
    for match in re.finditer(rf"\b(?:{'|'.join(NUMBER_WORDS)})\b(?=\W*(?:\n|\Z|[.!](?:\s|\Z)))", text, re.IGNORECASE):
        if not re.search(r"[-\w]-\Z|\b(?:hundred|thousand|and|of)\s+\Z", text[max(0, match.start() - 12) : match.start()]):
            yield Figure(match.start(), match.end(), Decimal(NUMBER_WORDS.index(match[0].casefold())))


@cache
def _pattern(comma: bool) -> re.Pattern[str]:
    """Words, which are passed over, and numbers with what stands before them: signs, currencies, brackets."""

    def grouped(mark: str) -> str:
        return rf"[1-9]\d{{0,2}}(?:{mark}\d{{3}})++(?!\d)"

    thousands, point = (r"\.", ",") if comma else (",", r"\.")
    groups = [grouped(thousands), grouped(" "), grouped("'"), grouped("_")]
    groups += [] if comma else [r"[1-9]\d?(?:,\d\d)+,\d{3}(?!\d)"]
    digits = rf"(?:(?:{'|'.join(groups)}|\d++)(?:{point}\d++)?|(?<![\w.,]){point}\d++)"
    money, minus = numerals.CURRENCY, numerals.MINUS
    before = rf"(?P<minus>{minus})?(?P<first>[-+])?(?:(?P<money>{money})\s?)?(?P<second>[-+])?(?P<open>\()?"
    fraction = r"\\[dt]?frac\b[^\n]{0,40}|[\u00bc-\u00be\u2150-\u215e]|±\s?\d[\d.,]*+|\+/-\s?\d[\d.,]*+"
    return re.compile(rf"(?P<part>{fraction})|{before}(?P<digits>{digits})|(?P<word>{WORD})", re.IGNORECASE)


def _figures(text: str, comma: bool) -> Iterator[Figure]:
    found: list[Figure] = []
    at = 0
    pattern = _pattern(comma)
    while match := pattern.search(text, at):
        at = match.end()
        if match["part"]:
            found.append(Figure(match.start(), at, None))
        elif match["digits"]:
            figure = _figure(text, match, comma)
            at = max(at, figure.end)
            if figure.end > figure.start:
                found.append(figure)
    yield from _unlinked(text, found)


def _figure(text: str, match: re.Match[str], comma: bool) -> Figure:
    """The number at a match, with the exponent, scale and unit behind it; an empty one where it is part of a word."""
    start, end = match.start(), match.end()
    if start and text[start - 1] in ".,'":
        return Figure(start, end, None)  # The end of what is no number: ",5", "1,.5".
    digits = match["digits"].replace("." if comma else ",", "").replace(" ", "").replace("'", "").replace("_", "")
    power: int | None = 0
    if exponent := EXPONENT.match(text, end):
        power, end = _power(exponent), exponent.end()
    elif digits == "10" and (exponent := POWER.match(text, end)):
        digits, power, end = "1", _power(exponent), exponent.end()
    if longer := GOES_ON.match(text, end):
        return Figure(start, longer.end(), None)
    scale, end = _scale(text, end, bool(match["money"]), comma)
    if end < 0:
        return Figure(start, start, None)
    power = None if power is None or scale is None else power + scale
    end = _after_money(text, end)
    if unit := RAISED_UNIT.match(text, end):
        end = unit.end()
    value = None if power is None or abs(power) > HIGHEST_POWER else _shifted(Decimal(digits.replace(",", ".")), power)
    bound = BOUND_BEFORE.search(text[max(0, start - 24) : start])
    if bound or BOUND_AFTER.match(text, end):
        value = None
    closed = match["open"] and text[end : end + 1] == ")"
    signs = [match["first"], match["second"], match["minus"] and "-", "-" if closed and match["money"] else None]
    minuses = sum(1 for sign in signs if sign and sign == "-")
    if match["open"] and not closed and (minuses or match["money"]):
        value = None
    if minuses > 1:
        value = None
    start += len(match[0]) - len(match[0].lstrip())
    return Figure(start, end + bool(closed), -value if value is not None and minuses else value)


def _power(match: re.Match[str]) -> int | None:
    digits = next(group for group in match.groups() if group).translate(RAISED)
    return int(digits) if len(digits) < 6 else None


def _shifted(value: Decimal, power: int) -> Decimal:
    # Exact, which arithmetic of decimals is not beyond 28 digits.
    sign, digits, exponent = value.as_tuple()
    return Decimal((sign, digits, int(exponent) + power))


def _after_money(text: str, end: int) -> int:
    after = AFTER.match(text, end)
    return after.end() if after else end


def _scale(text: str, end: int, money: bool, comma: bool) -> tuple[int | None, int]:
    """The power of ten that is written behind digits, None where it cannot be told, and where that ends; -1 in a word."""
    scale: int | None = 0
    attached = ATTACHED.match(text, end)
    if attached and attached[0].casefold() in ORDINAL and re.match(r"\s+of\b", text[attached.end() : attached.end() + 9]):
        return None, attached.end()
    if attached and (text[end] != "°"):
        word = attached[0].casefold()
        if word == "s" and text[end - 1] == "0":
            return None, attached.end()  # "the 1990s", "100s": seconds, or not
        if word in SCALES and attached[0] != "K":
            scale, end = SCALES[word], attached.end()
        elif word in numerals.LETTERS:
            scale, end = (numerals.LETTERS[word] if money else None), attached.end()
        elif attached[0].isascii() and (word if len(word) > 1 else attached[0]).split("/")[0] not in UNITS:
            return 0, -1
        else:
            return 0, attached.end()
    money = money or (_after_money(text, end) > end and text[end : end + 1] not in "%°")
    while (apart := APART.match(text, end)) and (power := _power_of(apart[1], money, comma)) != 0:
        scale = None if power is None or scale is None else scale + power
        end = apart.end() - (apart[0].endswith(".") and apart[1].casefold() not in numerals.ABBREVIATED)
    partial = PARTIAL.match(text, end)
    if partial and partial[1].casefold() in PARTS and (scale or "and" in partial[0]):
        scale = None
    elif partial and partial[1].casefold() in numerals.MULTIPLES:
        scale = None
    return scale, end


def _power_of(word: str, money: bool, comma: bool) -> int | None:
    """The power of ten that a word behind a number stands for, 0 for any other word, None where that cannot be told."""
    known = word.casefold()
    if len(word) == 1 and known in numerals.LETTERS:
        if money:
            return numerals.LETTERS[known]
        return None if word != "m" and word != "t" and word != "b" else 0
    if known in numerals.COMMA_ONLY:
        return SCALES[known] if comma else None
    if known in numerals.POINT_ONLY and comma:
        return None
    return SCALES.get(known, 0)


def _unlinked(text: str, figures: Sequence[Figure]) -> Iterator[Figure]:
    """The figures of a text, where those that make up a sum, a range or a date are one: what it equals, or nothing."""
    group: Figure | None = None
    for figure in figures:
        between = COUNTED.sub("", text[group.end : figure.start][:40]) if group else ""
        if group is not None and "\n" not in between and len(between) < 20:
            if EQUALS.fullmatch(between):
                group = Figure(group.start, figure.end, figure.value)
                continue
            if OPERATOR.fullmatch(between):
                group = Figure(group.start, figure.end, None)
                continue
        if group is not None:
            yield group
        group = figure
    if group is not None:
        yield group
