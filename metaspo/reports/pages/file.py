"""Where a page is written: whole or not at all, and never over a file that is somebody's own."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...domain.errors import ConfigError
from ...domain.paths import path_of

MARK = b'<meta name="generator" content="metaspo'
"""What a page of ours holds near its beginning."""


def place(output: str | Path | None, name: str) -> Path:
    """The file that a page goes to: `name` right here where nothing is said, or in `output` where that is a folder."""
    if output is None:
        return Path(name)
    asked = path_of(output)
    return asked / name if str(output).endswith(("/", os.sep)) or asked.is_dir() else asked


def write_page(text: str, path: Path, *, force: bool = False) -> None:
    """Write a page; folders that are missing are made, and a file that is no page of ours is replaced only with `force`.

    A kill, or a disk that is full, leaves what was there before. Raises ConfigError.
    """
    with _in_words(path):
        # The file that a link leads to is written, the link stays.
        real = Path(os.path.realpath(path))
        if real.exists() and not real.is_file():
            # A device or a pipe: nothing is there to be lost.
            real.write_text(text, encoding="utf-8")
            return
        if real.exists() and not force and not _is_ours(real):
            raise ConfigError(
                f"{path} is there already, is no page that metaspo wrote and was left as it is: name another place, "
                "or replace it with 'metaspo report --force'"
            )
        real.parent.mkdir(parents=True, exist_ok=True)
        _replace(real, text)


def _is_ours(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(4096)
    return MARK in start or not start


def _replace(path: Path, text: str) -> None:
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name[:50]}.", suffix=".part", dir=path.parent)
    try:
        with open(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        os.chmod(name, path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def _umask() -> int:
    # It can only be read by setting it.
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except (FileExistsError, NotADirectoryError):
        raise ConfigError(f"--output {path}: a file is where its folder would be; name another with --output") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"--output {path}: {reason}; nothing was written. Name another file with --output") from None
