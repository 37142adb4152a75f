"""What a prompt says when it speaks of prompts, examples or its own making instead of to the assistant.

The patterns are narrow on purpose: "give an example", "keep these instructions to yourself" and "reply promptly"
are what real prompts say. Quoted words are never meant, nor is what a person wrote in a seed.
"""

import re
from collections.abc import Sequence

FLAGS = re.IGNORECASE | re.MULTILINE
QUOTES = tuple("\"'“‘«„`")

LINE = r"^[ \t#*_>`-]*"
MADE = r"(?:improved|revised|rewritten|refined|optimi[sz]ed|enhanced|reworked)"
NEW = rf"(?:{MADE}|new|updated|better|modified|final|proposed|suggested|adjusted)"
KIND = r"(?:(?:system|user|assistant)[ -]?)"
HERE = r"\bhere(?:'s|’s| is| are) (?:(?:the|an?|your|my) )?"
NOT_OF = "".join(rf"(?<!\b{word} )" for word in "to of for in by with from on under".split())
"""Not in "the answer to this prompt should ..." and the like, where something else is spoken of."""

SAYS = (
    r"(?:is|was|has|will|should|can|must|aims?|helps?|ensures?|provides?|guides?|addresses|instructs?|tells?|emphasi[sz]es"
    r"|encourages?|asks?|focuses|makes?|improves?|works?|serves|mends|fixes|contains?|includes?|combines?|gives|requires"
    r"|sets|defines|directs|keeps|adds|removes|clarifies)"
)
SECRET = r"(?: also)?(?: strictly)? (?:confidential|secret|private|internal|proprietary|not (?:to )?be|never|be (?:kept|never))"
BETTER = (
    r"(?:include|contain|state|specify|say|tell|instruct|guide|emphasi[sz]e|clarify|encourage|clear|clearer|explicit|revised"
    r"|changed|rewritten|improved)"
)
SHOWN = r"(?:shown|listed|given|provided|described|mentioned|identified|noted|found)"
ABOVE = r"above\b(?! (?:(?:all|the|an?|this|that|your|our|its|average|zero)\b|\d))"

OF_PROMPTS = [
    rf"{NOT_OF}\bthis (?:{NEW} )?{KIND}?prompt,? (?:\w+ly )?{SAYS}\b(?!{SECRET}\b)",
    rf"{NOT_OF}\bthe prompt (?:should|could|needs? to|ought to)\b",
    rf"\b{MADE} prompt\b",
    r"\bwrite an? (?:new|better|improved|revised) (?:\w+ )?prompt\b",
    rf"{LINE}(?:the |an? |my )?{NEW} prompt\b[^.!?\n]{{0,40}}[:*]",
    rf"{LINE}prompt[*_]*[ \t]*:(?!\s*[^\n]*\{{)",
]
"""Wrong but where a task is about prompts, as a seed shows."""

ANYWHERE = [
    rf"{HERE}(?:\w+ )?(?:{NEW} (?:\w+ )?(?:prompt|instructions?)|{KIND}prompt)\b",
    rf"{HERE}(?:\w+ )?{NEW} (?:version|wording) of (?:the|your|this) (?:\w+ )?(?:prompt|instructions?)\b",
    rf"\A\W*{HERE}(?:\w+ )?{NEW} (?:version|wording)[ \t]*:",
    rf"{HERE}prompt[ \t]*(?:$|:[ \t]*$|that\b|for\b)",
    rf"{LINE}(?:the |an? |my )?(?:{NEW} )?{KIND}prompt\b[^.!?\n]{{0,40}}(?:[:*]|$)",
    rf"{LINE}(?:key (?:changes|improvements)|(?:changes|improvements) made|explanation of (?:the )?changes)\b[*_]*[ \t]*"
    r"(?::|$)",
    rf"\b{MADE} (?:{KIND}(?:prompt|instructions?)|instructions?)\b",
    rf"\bthis {MADE} (?:version|wording)\b",
    r"\bthe (?:following|above|below) (?:system|user) prompt\b",
    rf"{NOT_OF}\bthe (?:system|user) prompt (?:should|could|would|needs? to|ought to"
    rf"|(?:must|will|has to) (?:also |now |be |\w+ly )*{BETTER})\b",
    r"\bthe old (?:system |user )?(?:prompt|instructions)\b",
    r"\b(?:unlike|compared (?:to|with)) the (?:old|original|previous|current|existing|earlier|last)"
    r" (?:\w+ )?(?:prompt|instructions)\b",
    r"\b(?:system|user) prompt for (?:an?|the|your) (?:\w+ )?(?:assistant|model|ai|chatbot|llm|task)\b",
    rf"\b(?:failures|weakness(?:es)?|failed cases) (?:{SHOWN} )?{ABOVE}",
    rf"\b(?:mistakes|errors) {SHOWN} {ABOVE}",
    r"\b(?:based on|avoid(?:s|ing)?|mend(?:s|ing)?|address(?:es|ing)?|learn(?:s|ing)? from) (?:the|these|those)"
    rf" (?:mistakes|errors|analysis) {ABOVE}",
    r"\bthe above(?:[- ]mentioned)? (?:failures|mistakes|weaknesses)\b",
    r"\b(?:failed|failing|misclassified) examples\b",
    r"\bbased on (?:the|these|those|all) (?:\w+ )?(?:failures|weaknesses|failed cases)\b",
    r"\bthese (?:new )?instructions"
    r" (?:aim|address|mend|fix|improve|help the (?:assistant|model)|(?:are|were) (?:designed to|revised|rewritten))\b",
    rf"\bi(?:'ve|’ve| have)? (?:just )?(?:rewrote|updated|modified|{MADE})\b[^.\n]{{0,40}}\b(?:prompt|instructions?)\b",
    r"\A\W*(?:sure|certainly|of course|absolutely|okay|ok)[ \t]*[!,.:]",
    r"\bas an? (?:ai|artificial intelligence|large language|language)(?: language)?(?: model| assistant)?(?: \w+ by \w+)?,"
    r" i(?:'m|’m)?\b",
    r"-----(?:BEGIN|END) DATA\b",
]
"""Wrong whatever the task."""

_of_prompts, _anywhere = ([re.compile(pattern, FLAGS) for pattern in patterns] for patterns in (OF_PROMPTS, ANYWHERE))
_examples_above = re.compile(rf"\bexamples? (?:{SHOWN} )?{ABOVE}|\bthe above(?:[- ]mentioned)? examples\b", FLAGS)
_own_examples = re.compile(r"\b(?:examples?|input|question|q)\b[ \t]*\d*[ \t]*[:\n]|\bfor example\b|\be\.g\.", re.IGNORECASE)
_about_prompts = re.compile(
    r"\b(?:the|this|that|an?|each|following|these|your|any|\w+'s) (?:(?!system\b)\w+ )?prompts?\b|\bprompt[*_]*:", re.IGNORECASE
)


def talk(text: str, written: Sequence[str]) -> str | None:
    """What a text says of prompts or of its making that no `written` text says as well; None for nothing."""
    allowed = [_even(one) for one in written]
    patterns = _anywhere if any(map(_about_prompts.search, written)) else [*_of_prompts, *_anywhere]
    found = [match for pattern in patterns for match in pattern.finditer(text)]
    # "As in the examples above" is right in a text that has examples before it.
    found += [match for match in _examples_above.finditer(text) if not _own_examples.search(text, 0, match.start())]
    for match in found:
        quoted = text[: match.start()].endswith(QUOTES)
        if not quoted and not any(_even(match[0]) in one for one in allowed):
            return match[0].strip()
    return None


def _even(text: str) -> str:
    return " ".join(text.split()).casefold()
