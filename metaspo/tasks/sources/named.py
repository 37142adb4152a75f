"""Sources with a name instead of a path: `hf:owner/name:config@revision#split`, `langsmith:NAME@version#split`, or a block."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

HUB, LANGSMITH = "hf", "langsmith"
PREFIXES = (HUB, LANGSMITH)
KEYS: Mapping[str, Mapping[str, str]] = {
    HUB: {"config": "config", "split": "split", "revision": "version"},
    LANGSMITH: {"split": "split", "version": "version"},
}
"""The keys of a source's block beside its own, and what of a `Named` each of them is."""

FORMS: Mapping[str, str] = {
    HUB: "hf:owner/name, hf:owner/name:config@revision#split, or {hf: owner/name, config: ..., split: ..., revision: ...}",
    LANGSMITH: "langsmith:NAME, langsmith:NAME@version#split, or {langsmith: NAME, split: ..., version: ...}",
}
COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Named:
    """A data set of a service. What is not said is empty; `version` is a revision, a tag or a moment."""

    kind: str
    name: str
    config: str = ""
    split: str = ""
    version: str = ""

    @classmethod
    def parse(cls, written: str | Mapping[str, Any]) -> Self:
        """From the line or the block that a person wrote. Raises ValueError that says which forms there are."""
        if isinstance(written, str):
            kind, _, rest = written.partition(":")
            rest, _, split = rest.partition("#")
            rest, _, version = rest.rpartition("@") if "@" in rest else (rest, "", "")
            name, _, config = rest.partition(":") if kind == HUB else (rest, "", "")
            return cls(kind, name.strip(), config.strip(), split.strip(), version.strip())._checked(written)
        kind = next(prefix for prefix in PREFIXES if prefix in written)
        keys = KEYS[kind]
        unknown = [str(key) for key in written if key != kind and key not in keys]
        if unknown:
            raise ValueError(f"unknown key '{unknown[0]}'; known keys: {kind}, {', '.join(keys)}")
        odd = next((key for key, value in written.items() if not isinstance(value, str | int | float) or value is True), None)
        if odd:
            raise ValueError(f"'{odd}' is text; write {FORMS[kind]}")
        given = {keys[key]: str(value) for key, value in written.items() if key != kind}
        return cls(kind, str(written[kind]).strip(), **given)._checked(dict(written))

    def _checked(self, written: object) -> Self:
        if not self.name or (self.kind == HUB and not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", self.name)):
            raise ValueError(f"{written!r} names no data set; write {FORMS[self.kind]}")
        return self

    @property
    def block(self) -> dict[str, str]:
        """The block that says the same."""
        said = {key: getattr(self, of) for key, of in KEYS[self.kind].items()}
        return {self.kind: self.name} | {key: value for key, value in said.items() if value}

    @property
    def whole(self) -> str:
        """The data set, in the version that was asked for, as one line: what is pinned."""
        return f"{self.kind}:{self.name}" + (f"@{self.version}" if self.version else "")

    @property
    def line(self) -> str:
        """As a person writes it."""
        told = ((":", self.config), ("@", self.version), ("#", self.split))
        return f"{self.kind}:{self.name}" + "".join(mark + said for mark, said in told if said)

    def __str__(self) -> str:
        """The same, a commit shortened."""
        return self.at(self.version[:12]).line if COMMIT.fullmatch(self.version) else self.line

    def at(self, version: str) -> "Named":
        """The same data set in another version."""
        return replace(self, version=version)

    def of(self, split: str) -> "Named":
        """Another split of the same data set."""
        return replace(self, split=split)


def is_named(written: object) -> bool:
    """Whether something names a source of a service, rather than a file."""
    if isinstance(written, str):
        return written.partition(":")[0] in PREFIXES and ":" in written
    return isinstance(written, Mapping) and any(prefix in written for prefix in PREFIXES)
