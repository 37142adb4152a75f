"""How a model is named in a config and on the command line."""

import re
import shlex
from typing import TYPE_CHECKING, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from ..domain.complaints import Where, complaints
from ..domain.errors import ModelError
from ..domain.importing import import_attribute
from ..domain.redaction import TOKEN, hold, redact, without_keys
from ..domain.source import fingerprint
from ..domain.visible import is_unsafe
from ..tasks.documents import CHECKED
from .prices import Prices
from .provider_names import checked_provider, is_langchains
from .provider_options import ProviderOptions
from .rates import Rates
from .request_settings import RequestSettings
from .spec_text import key_shown, parsed, shown, written


class ModelSpec(RequestSettings, Prices, Rates, ProviderOptions):
    """A model and how it is called. Holds the name of the key's environment variable, never the key.

    `openai:NAME` is OpenAI's own API, `server:NAME` any OpenAI-compatible server at `base_url`,
    `vllm:MODEL` a model that vLLM runs (see metaspo/models/vllm/served.py), `local:smollm2` and `local:PATH.gguf` a model
    that we serve, `scripted:package.module:function` a function in its place, `program:package.module:attribute`
    a chain or an agent of your own whose system prompt is optimized, `object:NAME` a LangChain chat model or a
    program registered from Python. Any other provider is one of LangChain's, `anthropic:NAME`, `google_genai:NAME`,
    `ollama:NAME` and so on, see metaspo/models/providers.py.
    """

    model_config = ConfigDict(extra="forbid")

    if TYPE_CHECKING:
        # For type checkers that don't know pydantic.
        def __init__(self, *, provider: str, name: str, **settings: Any) -> None: ...

    provider: str
    name: str = Field(min_length=1, description="The model's name at its endpoint, a path, or a function.")
    base_url: str | None = Field(
        None, description="server, vllm: where it listens, such as http://127.0.0.1:8000/v1; vllm: replicas joined by +."
    )
    api_key_env: str | None = Field(None, description="The environment variable that holds the key.")
    batch: bool = Field(
        False, description="openai, server: calls go out in batches, at half the price, and take minutes to a day."
    )
    version: str | None = Field(
        None, description="program, scripted: stands for the code; what is recorded under one version is not asked for again."
    )
    context: int | None = Field(
        None, ge=256, description="local, vllm: tokens that a request and its reply may take together; 2048 for local if none."
    )
    threads: int | None = Field(None, ge=1, description="local: CPU threads; all cores if none.")
    serve: Literal["auto", "batch"] | None = Field(
        None, description="vllm: start its server, or run it in this process in batches; auto if no base_url is given."
    )
    python: str | None = Field(None, description="vllm: the Python that has vLLM, for serve=auto; this one if none.")
    tensor_parallel: int = Field(1, ge=1, description="vllm: GPUs that share one copy of the model.")
    data_parallel: int = Field(1, ge=1, description="vllm: copies of the model behind one server; serve=auto only.")
    flags: str | None = Field(None, description="vllm: any further flags of its server, such as '--dtype bfloat16'.")
    startup: float = Field(900, gt=0, description="vllm: seconds that its start may take.")

    @field_validator("provider")
    @classmethod
    def _known(cls, value: str) -> str:
        return checked_provider(value)

    @field_validator("base_url", "flags", mode="before")
    @classmethod
    def _joined(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, list) and all(isinstance(part, str) for part in value):
            return "+".join(value) if info.field_name == "base_url" else shlex.join(value)
        return value

    @field_validator("base_url")
    @classmethod
    def _no_secrets_in_url(cls, value: str | None) -> str | None:
        urls = [url.rstrip("/") for url in _split_urls(value)]
        for url in urls:
            if _holds_more(url):
                raise ValueError(
                    "base_url holds a password, a query or a fragment, or a key; put the key in an environment variable and "
                    "name it in api_key_env"
                )
            if not _is_address(url):
                raise ValueError(f"base_url is http://host:port/v1 or https://..., not {redact(url)!r}")
        return "+".join(urls) or None

    @field_validator("flags")
    @classmethod
    def _no_secrets_in_flags(cls, value: str | None) -> str | None:
        if value and (re.search(r"--(api-key|hf-token)\b", value.replace("_", "-")) or without_keys(value) != value):
            raise ValueError("flags hold a key; put it in the environment: HF_TOKEN, or the variable named in api_key_env")
        return value

    @field_validator("api_key_env")
    @classmethod
    def _names_a_variable(cls, value: str | None) -> str | None:
        if value is not None:
            if TOKEN.search(value) or without_keys(value) != value or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
                raise ValueError("the name of an environment variable, such as OPENAI_API_KEY; the key itself is never written")
            hold(value)
        return value

    @field_validator("name", "version", "python")
    @classmethod
    def _plain(cls, value: str | None) -> str | None:
        if value and any(is_unsafe(char) or char in "\n\t" for char in value):
            raise ValueError("holds a line break or a character that cannot be seen; take it out")
        if value and without_keys(value) != value:
            raise ValueError("holds a key; put it in an environment variable and name that in api_key_env")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> "ModelSpec":
        if self.provider == "server" and not self.base_url:
            raise ValueError("'server' needs base_url, such as server:llama,base_url=http://127.0.0.1:8000/v1")
        if self.provider in ("local", "scripted", "program", "object") and self.base_url:
            raise ValueError(f"'{self.provider}' takes no base_url; use 'server'")
        if self.provider != "vllm" and len(self.base_urls) > 1:
            raise ValueError("several base_urls are for 'vllm'")
        if self.base_url or self.provider != "vllm":
            starting = ("serve", "python", "tensor_parallel", "data_parallel", "flags", "startup")
            given = [name for name in starting if getattr(self, name) != ModelSpec.model_fields[name].default]
            if given:
                raise ValueError(f"{', '.join(given)}: only for a vLLM that metaspo starts, vllm:MODEL without base_url")
        if self.batch and self.provider not in ("openai", "server"):
            raise ValueError(
                f"batch=true is for 'openai' and 'server', whose endpoint has /v1/batches; not for '{self.provider}'"
            )
        if self.options and not is_langchains(self.provider):
            raise ValueError(f"options are for LangChain's providers, not for '{self.provider}'")
        not_sent = [name for name in ("headers", "query", "organization", "extra_body") if getattr(self, name)]
        if is_langchains(self.provider) and self.provider != "azure_openai" and not_sent:
            raise ValueError(f"{', '.join(not_sent)}: not for '{self.provider}', whose package makes its requests; see options")
        if is_langchains(self.provider) and self.constrain not in (None, "none", "json_schema"):
            raise ValueError(f"'{self.provider}' knows no constrain={self.constrain}; json_schema or none")
        if self.serve == "batch" and (self.data_parallel > 1 or self.python):
            raise ValueError("serve=batch runs in this process: no data_parallel, no python; use serve=auto")
        return self

    @model_validator(mode="wrap")
    @classmethod
    def _in_words(cls, data: Any, read: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Self:
        try:
            return read(data)
        except ValidationError as error:
            # A list is for a field that takes several.
            if info.context == CHECKED or not isinstance(data, dict):
                raise
            raise cls._refused(data, error) from None

    @property
    def base_urls(self) -> list[str]:
        """Every endpoint; more than one are replicas of each other."""
        return _split_urls(self.base_url)

    @classmethod
    def parse(cls, value: "str | dict[str, Any] | ModelSpec") -> "ModelSpec":
        """Read the string form, a mapping with the same keys, or a spec; raise ModelError when it is wrong."""
        if isinstance(value, cls):
            return value
        fields = parsed(value) if isinstance(value, str) else value
        try:
            return cls.model_validate(fields, context=CHECKED)
        except ValidationError as error:
            raise cls._refused(fields, error, value if isinstance(value, str) else None) from None

    @classmethod
    def _refused(cls, fields: Any, error: ValidationError, text: str | None = None) -> ModelError:
        said = "; ".join(_complaint(*one) for one in complaints(error.errors(include_url=False), fields))
        name = text or (fields.get("name") if isinstance(fields, dict) else None)
        return ModelError(f"model {shown(name) if isinstance(name, str) else 'without a name'}: {said}")

    def __str__(self) -> str:
        """The string form, with the settings that differ from the defaults."""
        fields = self.model_dump(exclude_defaults=True, exclude={"provider", "name"})
        return ",".join([self.label, *written({key: fields[key] for key in _names() if key in fields})])

    @property
    def label(self) -> str:
        """Provider and name, for tables."""
        return f"{self.provider}:{self.name}"


def _holds_more(url: str) -> bool:
    """Whether an address holds what is no part of one, and may be a secret."""
    place = url.partition("://")[2]
    return "@" in re.split(r"[/?#]", place)[0] or bool(re.search(r"[?#;\\]", place)) or without_keys(url) != url


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(re.match(r"^https?://[^\s/]+", url) and parts.hostname and (parts.port is None or parts.port)) and not any(
            char.isspace() or is_unsafe(char) for char in url
        )
    except ValueError:
        return False


def _split_urls(joined: str | None) -> list[str]:
    return re.split(r"\+(?=https?://)", joined) if joined else []


def _names() -> list[str]:
    """Every setting: which model first, then how it is asked."""
    return [*dict.fromkeys([*ModelSpec.__annotations__, *ModelSpec.model_fields])]


def _complaint(loc: Where, kind: str, said: str) -> str:
    key = key_shown(".".join(str(part) for part in loc))
    if kind == "extra_forbidden":
        return f"unknown setting '{key}'; known: {', '.join(_names())}"
    if kind == "missing":
        return f"{key} is missing; add it"
    return f"{key}: {said}" if key else said


def code_identity(spec: ModelSpec) -> dict[str, str]:
    """What stands for the code that a spec names and that has been imported: the spec's version, or else the code's text."""
    if spec.version is not None:
        return {"version": spec.version}
    found = fingerprint(spec.name.partition(":")[0])
    if found is None:
        raise ModelError(f"{spec.label}: its module has no source to tell versions apart; add version=1")
    return {"source": found}


def imported(spec: ModelSpec) -> Any:
    """What the name of a spec names in Python, `package.module:attribute`; ModelError when it cannot be imported."""
    try:
        return import_attribute(spec.name)
    except (Exception, SystemExit) as error:
        raise ModelError(f"{spec.label} cannot be imported: {error}") from error
