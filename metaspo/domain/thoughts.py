"""Thoughts that a reasoning model lets stand before its answer. They are no answer, no grade and no prompt."""

import re

NAMES = r"(?:\w+[:_])?(?:think|thinking|thoughts?)(?:_\w+)?|antthinking|inner_monologue"
FIRST = "reasoning|reflection|scratchpad|analysis"
"""Names that prompts use for parts of an answer as well: a thought only where a reply begins with one."""
TAG = re.compile(
    rf"<\s*(?P<a>/?)\s*(?:{NAMES})(?:\s[^<>]*)?>|\[(?P<b>/?)THINK\]|"
    r"<\|(?P<c>/|END_(?:OF_)?)?(?:START_|BEGIN_OF_)?(?:THINK|THINKING|THOUGHT)\|>",
    re.IGNORECASE,
)
EMPTY = re.compile(rf"<\s*(?:{NAMES})\s*/\s*>", re.IGNORECASE)
"""A thought that was opened and closed at once."""
OPENING = re.compile(rf"\s*<({FIRST})(?:\s[^<>]*)?>(.*?)(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
CHANNEL = re.compile(r"<\|channel\|>\s*(\w+)[^<]*<\|message\|>")
"""OpenAI's open models name the channel of each part of a reply; the last part on "final" is the answer."""

KIMI = ("◁think▷", "◁/think▷")


def without_thoughts(reply: str) -> str:
    """What a reply says once it has been thought out: all after its last closing tag of a thought.

    A thought that is opened and never closed leaves nothing of what follows it; a reply without any tag is itself.
    """
    reply = EMPTY.sub("", reply).replace(KIMI[0], "<think>").replace(KIMI[1], "</think>")
    channels = list(CHANNEL.finditer(reply))
    if channels:
        finals = [match for match in channels if match[1].lower() == "final"]
        return re.sub(r"<\|\w+\|>.*\Z", "", reply[finals[-1].end() :], flags=re.DOTALL).strip() if finals else ""
    if first := OPENING.match(reply):
        reply = reply[first.end() :]
    ends = [mark.end() for mark in TAG.finditer(reply) if mark["a"] or mark["b"] or mark["c"]]
    reply = reply[ends[-1] :] if ends else reply
    opened = TAG.search(reply)
    return reply[: opened.start()] if opened else reply
