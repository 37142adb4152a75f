"""What models are known to want, by their names: a small table. All else is left to settings, and to what endpoints say."""

import re
from dataclasses import dataclass
from typing import Literal

from ..domain.calls import Length, Role

LONGEST: dict[Role, int] = {"base": 512, "optimizer": 1024, "judge": 256}
"""Longest replies, in tokens, of models whose spec sets none."""

LONGEST_REASONING: dict[Role, int] = {"base": 4096, "optimizer": 8192, "judge": 4096}
"""The same for models that reason before they answer: their reasoning counts as a part of the reply."""

SystemRole = Literal["system", "user", "developer", "fold"]
"""How a system prompt is sent: see `RequestSettings.system_role`."""


@dataclass(frozen=True, slots=True)
class Family:
    """Models that are asked alike. `temperature` says whether they take one, `reasons` whether they think first."""

    temperature: bool = True
    length: Length = "max_tokens"
    reasons: bool = True
    system_role: SystemRole = "system"


ORDINARY = Family(reasons=False)

FAMILIES: tuple[tuple[str, Family], ...] = (
    (r"o1-(mini|preview)", Family(temperature=False, length="max_completion_tokens", system_role="fold")),
    (r"gpt-[5-9](\.\d+)?-chat", Family(length="max_completion_tokens", reasons=False)),
    (r"o[1-9]|gpt-[5-9](\.\d+)?", Family(temperature=False, length="max_completion_tokens")),
    (r"gpt-oss|deepseek-(r1|reasoner)|qwq|magistral|grok-(3-mini|4)|[\w.]+(-[\w.]+)*-(thinking|reasoning)", Family()),
)
"""Names, without what a router or a fine-tuning puts before them, as patterns; the first that fits counts. OpenAI's o-series
and gpt-5 as its API takes them (2026-11), and other makers' models that think, which take everything else as usual."""


def family_of(name: str) -> Family:
    """How a model of this name is asked, be it named alone (`o3-mini`) or by a router (`openai/o3-mini:nitro`)."""
    plain = name.lower().rstrip("/").rpartition("/")[2].removeprefix("ft:").removeprefix("openai.")
    return next((family for pattern, family in FAMILIES if re.match(rf"({pattern})(?![a-z0-9.])", plain)), ORDINARY)
