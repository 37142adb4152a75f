"""What one model's endpoint was found to refuse of requests, and how they go on without it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..domain.calls import Length, Request
from .faults import Fault
from .spec import ModelSpec

CONSTRAINTS = ("response_format", "structured_outputs", "grammar", "json_schema")
"""The parameters that hold a reply to its form."""

LENGTHS: tuple[Length, Length] = ("max_tokens", "max_completion_tokens")

SAID = {
    "temperature": "takes no temperature: it is left out, and replies are drawn as the endpoint does by itself",
    "constraint": "cannot hold replies to a form: they are asked for without",
    "max_tokens": "takes no max_tokens: the longest reply is sent as max_completion_tokens",
    "max_completion_tokens": "takes no max_completion_tokens: the longest reply is sent as max_tokens",
}
"""What a person is told of what is left out, by its name."""


class Adapted(Exception):
    """A request was not answered, and is to be made anew as the endpoint is known to take it now. Nothing was paid."""


@dataclass(eq=False)
class Adaptation:
    """What an endpoint takes of one model's requests, as far as it has said.

    Only what nobody asked for is left out: a default temperature, a constraint that no setting names. What is left
    out is in no request, and so not in its key: what is recorded is what was sent.
    """

    refused: set[str] = field(default_factory=set)
    accepted: set[str] = field(default_factory=set)

    def without(self, names: Iterable[str]) -> None:
        """Go on without what was refused before, unless it has been accepted since."""
        self.refused |= {*names} & {*SAID} - self.accepted

    def leaves_out(self, name: str, spec: ModelSpec) -> bool:
        """Whether requests go without it, which a spec that names it does not allow."""
        return name in self.refused and name not in _set_by(spec)

    def length(self, spec: ModelSpec) -> Length:
        """The name that the longest reply is sent under."""
        return _other(spec.length) if self.leaves_out(spec.length, spec) else spec.length

    def left_out(self, spec: ModelSpec) -> list[str]:
        """What the requests of a spec go without."""
        names = ("temperature", "constraint", spec.length)
        return [name for name in names if self.leaves_out(name, spec)]

    def outdated(self, request: Request, spec: ModelSpec) -> bool:
        """Whether a request was made before something in it was refused."""
        return any(self.leaves_out(name, spec) for name in _carried(request))

    def answered(self, request: Request, spec: ModelSpec) -> None:
        """A request was answered as it stood."""
        self.accepted |= {*_carried(request), self.length(spec), *_set_by(spec)}

    def learn(self, fault: Fault, spec: ModelSpec) -> None:
        """Draw the consequence of a refusal: raises Adapted, or a Fault that names the setting that asked for it."""
        name = "constraint" if fault.parameter in CONSTRAINTS else fault.parameter
        if name is None or name in self.accepted:
            return
        if name in _set_by(spec) or name not in SAID:
            setting = next((one for one in (name, fault.parameter) if one and one in _set_by(spec)), name)
            raise Fault("mistake", f"{fault.message}; {_advice(setting, spec)}")
        if name in LENGTHS and _other(spec.length) in (name, *self.refused):
            raise Fault("mistake", f"{fault.message}; it takes neither max_tokens nor max_completion_tokens")
        self.refused.add(name)
        raise Adapted


def _carried(request: Request) -> list[str]:
    there = {"temperature": request.temperature is not None, "constraint": request.constraint is not None}
    return [name for name, carried in there.items() if carried]


def _other(name: Length) -> Length:
    return LENGTHS[1 - LENGTHS.index(name)]


def _set_by(spec: ModelSpec) -> set[str]:
    """The parameters that a spec's settings send: to leave one out would not be what was asked for."""
    names = ("temperature", "max_completion_tokens", "top_p", "reasoning_effort", "service_tier", "seed")
    given = {name for name in names if getattr(spec, name) not in (None, "default")} | {*spec.extra_body}
    return given | ({"constraint"} if spec.constrain not in (None, "none") else set())


def _advice(name: str, spec: ModelSpec) -> str:
    if name == "temperature":
        return f"the setting temperature={spec.temperature} asks for it: take it out, or write temperature=default"
    if name == "constraint":
        return f"the setting constrain={spec.constrain} asks for it: write another one, or constrain=none"
    if name == "max_completion_tokens":
        return "the setting max_completion_tokens asks for it: write max_tokens"
    where = f"extra_body.{name}" if name in spec.extra_body else name
    return f"the setting {where} asks for it: take it out, or write another value"
