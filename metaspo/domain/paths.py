"""Where a path lies that a person wrote."""

from os import PathLike
from os.path import expanduser
from pathlib import Path


def path_of(written: str | PathLike[str], folder: Path | None = None) -> Path:
    """The path, relative to a folder if one is named; `~` is the home, and an unknown one stays as it is written."""
    # Not Path.expanduser, which raises where there is no such home: that no such file is there is said where it is read.
    return (folder or Path()) / expanduser(written)
