"""Data sets of LangSmith, through its own client; address and key are in the environment variables that it reads."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from warnings import catch_warnings, simplefilter

from ...domain.errors import HubError, TaskError
from ...domain.key_session import key_session
from ...domain.redaction import redact
from ...domain.visible import visible
from ..rows.row import Row
from ..rows.split_names import split_named
from .named import FORMS, LANGSMITH, Named
from .plain import NotPlain, plain

TIMEOUT = 60_000
"""Milliseconds that the server may take for one page."""

LATEST = "latest"
"""The tag of the newest version."""


def pinned(named: Named) -> Named:
    """The data set as of the moment that its version, the newest if none is named, stands for now."""
    moment = _moment(named.version)
    if moment is not None:
        return named.at(moment.isoformat())
    with _Asked(named) as client:
        found = client.read_dataset(dataset_name=named.name)
        version = client.read_dataset_version(dataset_id=found.id, tag=named.version or LATEST)
        return named.at(version.as_of.astimezone(UTC).isoformat())


def rows(named: Named) -> list[Row]:
    """The examples of a data set in a version, of all splits or of one, as rows of inputs, outputs, metadata and id.

    Raises TaskError for a name, a version, a split or a key that LangSmith does not know, HubError where it can't be reached.
    """
    with _Asked(named) as client:
        found = client.read_dataset(dataset_name=named.name)
        splits = [named.split] if named.split else None
        examples = list(client.list_examples(dataset_id=found.id, as_of=named.version or None, splits=splits))
    if not examples:
        within = f"the split {named.split!r} of the data set" if named.split else "the data set"
        raise TaskError(f"{named}: {within} holds no examples; add some, or write {FORMS[LANGSMITH]}")
    return list(_rows(named, examples))


def _rows(named: Named, examples: list[Any]) -> Iterator[Row]:
    splits = [set() if named.split else _splits(named, example) for example in examples]
    if any(splits) and not all(splits):
        without = examples[splits.index(set())]
        raise TaskError(
            f"{named}, example {without.id}: is in no split that is called train, validation or test, but others are; name the "
            f"splits, such as examples: {{train: '{named.of('base').line}', test: '{named.of('test').line}'}}"
        )
    for example, split in zip(examples, splits, strict=True):
        place = f"{named}, example {example.id}"
        said = {"inputs": example.inputs, "outputs": example.outputs, "metadata": example.metadata}
        try:
            values = {name: plain(value or {}, (name,)) for name, value in said.items()}
        except NotPlain as error:
            raise TaskError(f"{place}: {error}") from None
        yield Row(place, next(iter(split), ""), {**values, "id": str(example.id)})


def _splits(named: Named, example: Any) -> set[str]:
    written = (example.metadata or {}).get("dataset_split") or []
    names = [written] if isinstance(written, str) else written
    known = {str(split) for name in names if (split := split_named(name))}
    if len(known) > 1:
        raise TaskError(f"{named}, example {example.id}: is in the splits {', '.join(sorted(known))}; leave it in one of them")
    return known


def _moment(version: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(version)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class _Asked:
    """LangSmith's client while it is asked; what goes wrong is said in our words, since its own show parts of the key."""

    def __init__(self, named: Named) -> None:
        """Open the client for one data set."""
        self.named = named
        self.client: Any = None

    def __enter__(self) -> Any:
        from langsmith import Client

        with catch_warnings():
            # Of a key that is missing, the answer of the server tells.
            simplefilter("ignore")
            self.client = Client(timeout_ms=TIMEOUT, auto_batch_tracing=False, session=key_session())
        return self.client

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        address = "LangSmith"
        if self.client is not None:
            address = f"LangSmith at {redact(self.client.api_url)}"
            self.client.session.close()
        if isinstance(error, Exception) and not isinstance(error, TaskError):
            raise _failure(self.named, error, address) from None


def _failure(named: Named, error: Exception, address: str) -> Exception:
    kind = type(error).__name__
    if kind == "LangSmithAuthError" or "403 Client Error" in str(error):
        return TaskError(f"{named}: {address} does not take the key; set LANGSMITH_API_KEY to one of the workspace that has it")
    if kind == "LangSmithNotFoundError":
        return TaskError(
            f"{named}: {address} has no such data set or version; check its name, the version, and that LANGSMITH_API_KEY is "
            f"of the workspace that has it. Write {FORMS[LANGSMITH]}"
        )
    if kind == "LangSmithUserError":
        return TaskError(f"{named}: {address} does not take the request; check LANGSMITH_API_KEY and LANGSMITH_WORKSPACE_ID")
    if kind in ("ValidationError", "JSONDecodeError"):
        return HubError(f"{named}: {address} sent what is no data set of LangSmith's; check LANGSMITH_ENDPOINT")
    slow = "took too long" if "imeout" in kind or "imed out" in str(error) else f"could not be read ({visible(kind)})"
    return HubError(f"{named}: {address} {slow}; check LANGSMITH_ENDPOINT and the network, and try again")
