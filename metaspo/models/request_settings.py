"""What a spec says of every request: how its reply is drawn, how long it may be, and how the endpoint wants it."""

import json
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from ..domain.calls import Length, Role
from ..tasks.written import Exact
from .families import LONGEST, LONGEST_REASONING, ORDINARY, Family, SystemRole, family_of
from .filled import checked_body, checked_texts, is_secret_name, text_of

OURS = ("model", "messages", "stream", "n", "temperature", "max_tokens", "max_completion_tokens", "top_p", "seed")
"""What an extra body may not hold: it has settings of its own, or is no setting."""

REFUSED_BY: dict[str, tuple[str, ...]] = {
    "local": ("headers", "query", "organization", "service_tier", "reasoning_effort", "max_completion_tokens"),
    **dict.fromkeys(
        ("scripted", "program", "object"),
        (
            "top_p", "extra_body", "headers", "query", "organization", "service_tier", "reasoning_effort",
            "max_completion_tokens", "system_role",
        ),
    ),
}  # fmt: skip
"""The settings that cannot mean anything, by provider: their requests are not sent by us, or not to anybody."""


def _temperature(value: Any) -> Any:
    if value is None or value == "default":
        return value
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = -1
    if not 0 <= number <= 2:
        raise ValueError("a number from 0 to 2, or default, which leaves it out of requests")
    return number


def _body(value: dict[str, Any]) -> dict[str, Any]:
    ours = [name for name in value if name in OURS]
    if ours:
        raise ValueError(f"{ours[0]} is not for extra_body: set {ours[0]} itself, where there is such a setting")
    try:
        text = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        raise ValueError("holds what JSON has no form for, such as a date; put it in quotes") from None
    return checked_body(value, text)


Words = Annotated[dict[str, str], BeforeValidator(text_of), AfterValidator(checked_texts)]
"""Names and texts, in which `${VAR}` stands for an environment variable."""

Word = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[\w.:/-]+$")]


class RequestSettings(Exact):
    """The settings of a spec that shape requests."""

    temperature: Annotated[float | Literal["default"] | None, BeforeValidator(_temperature)] = Field(
        None, description="0 for a base model, 1 for an optimizer if none; default leaves it out of requests."
    )
    max_tokens: int | None = Field(
        None,
        gt=0,
        description="Longest reply; 512 for a base model, 1024 for an optimizer if none, 4096 and 8192 if it reasons.",
    )
    max_completion_tokens: int | None = Field(
        None, gt=0, description="The same, with its reasoning, sent under this name; instead of max_tokens."
    )
    top_p: float | None = Field(None, gt=0, le=1, description="Sent with every request.")
    reasoning_effort: Word | None = Field(None, description="Sent with every request, such as low; the endpoint's words.")
    reasoning: bool | None = Field(
        None, description="Whether it reasons before it answers, so that replies may be longer; by its name if none."
    )
    service_tier: Word | None = Field(None, description="Sent with every request, such as flex.")
    organization: Word | None = Field(None, description="The organization at OpenAI that is billed, sent as a header.")
    extra_body: Annotated[dict[str, Any], AfterValidator(_body)] = Field(
        default_factory=dict, description="Anything else that stands in the body of every request, such as top_k."
    )
    headers: Words = Field(
        default_factory=dict,
        description="Sent with every request; ${VAR}, or the name of an environment variable, stands for its value.",
    )
    query: Words = Field(
        default_factory=dict, description="Put behind the address of every request, such as Azure's api-version; as headers."
    )
    system_role: SystemRole | None = Field(
        None,
        description="How the system prompt is sent: under which role, or folded into the user's message.",
    )
    seed: int | None = Field(None, description="Sent with every request where the backend knows seeds.")
    constrain: Literal["none", "grammar", "structured_outputs", "json_schema"] | None = Field(
        None, description="How the backend constrains replies; the provider's own way if none."
    )

    @model_validator(mode="after")
    def _requests_fit(self) -> "RequestSettings":
        if self.max_tokens and self.max_completion_tokens:
            raise ValueError("max_tokens and max_completion_tokens are two names of one thing; set one of them")
        provider = getattr(self, "provider", "")
        refused = [*REFUSED_BY.get(provider, ())]
        if getattr(self, "serve", None) == "batch":
            refused = ["extra_body", "headers", "query", "organization", "service_tier", "reasoning_effort"]
            refused += ["max_completion_tokens"]
        given = [name for name in refused if getattr(self, name)]
        if given:
            where = "serve=batch" if provider == "vllm" else f"'{provider}'"
            raise ValueError(f"{', '.join(given)}: not for {where}, which sends no such requests")
        return self

    @property
    def family(self) -> Family:
        """How models of this name are asked."""
        if self.reasoning is False or getattr(self, "provider", "") in ("local", "scripted", "program", "object"):
            return ORDINARY
        return family_of(getattr(self, "name", ""))

    @property
    def reasons(self) -> bool:
        """Whether replies come after reasoning that counts as a part of them."""
        if self.reasoning is not None:
            return self.reasoning
        # Settings on the effort are for models that reason; "none" is how it is switched off.
        return self.reasoning_effort != "none" and (self.family.reasons or self.reasoning_effort is not None)

    def longest(self, role: Role) -> int:
        """The tokens that a reply may have, reasoning included."""
        usual = LONGEST[role]
        if self.reasons:
            # No more than half of a context that a person has set.
            context = getattr(self, "context", None)
            usual = max(usual, min(LONGEST_REASONING[role], context // 2 if context else LONGEST_REASONING[role]))
        return self.max_tokens or self.max_completion_tokens or usual

    @property
    def length(self) -> Length:
        """The name under which that is sent."""
        if self.max_completion_tokens or (self.family.length == "max_completion_tokens"):
            return "max_completion_tokens"
        return "max_completion_tokens" if getattr(self, "provider", "") == "openai" else "max_tokens"

    def drawn_at(self, role: Role) -> float | None:
        """The temperature of requests; None leaves it to the endpoint."""
        if self.temperature == "default":
            return None
        if self.temperature is not None:
            return self.temperature
        if self.reasons and not self.family.temperature:
            return None
        return 1.0 if role == "optimizer" else 0.0

    def request_identity(self) -> dict[str, Any]:
        """What these settings add to a model's identity: all that can change a reply and that no request says itself."""
        names = ("top_p", "reasoning_effort", "service_tier", "extra_body", "system_role")
        told = {name: value for name in names if (value := getattr(self, name))}
        if self.max_completion_tokens:
            told["length"] = "max_completion_tokens"
        for name in ("headers", "query"):
            # As the spec has them: a value from the environment is in no key, and another key makes no other model.
            shaping = {key.lower(): text for key, text in getattr(self, name).items() if not is_secret_name(key)}
            told |= {name: shaping} if shaping else {}
        return told
