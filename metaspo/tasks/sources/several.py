"""Which splits of a data set that brings its own are taken, where nobody named one. Pure functions."""

from collections.abc import Callable, Sequence

from ..rows.split_names import split_named


def taken(names: Sequence[str], where: str, write: Callable[[str], str]) -> dict[str, str]:
    """The splits to read, by the name that the data has for them: train, validation, test, or "" for one to be dealt.

    A data set with one split is dealt. Of several, those that are called train, validation and test are taken and others
    left, as long as there are train and test. `write` says how a task file names one of them. Raises ValueError else.
    """
    if len(names) == 1:
        return {names[0]: ""}
    known = {name: split for name in names if (split := split_named(name))}
    twice = len(set(known.values())) < len(known)
    if not twice and {"train", "test"} <= set(known.values()):
        return {name: str(split) for name, split in known.items()}
    first, second = next((n for n in names if split_named(n) == "train"), names[0]), names[-1]
    second = second if second != first else names[0]
    raise ValueError(
        f"{where} has the splits {', '.join(names)}; say which are which, such as "
        f"examples: {{train: '{write(first)}', test: '{write(second)}'}}, or name one to be dealt"
    )
