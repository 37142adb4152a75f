"""Where a worker keeps the store of its run: in a folder of its node, which whoever comes next removes if it was killed."""

import contextlib
import hashlib
import os
import shutil
import stat
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from ...domain.errors import StoreError
from ...domain.processes import host
from ...models.sharing.messages import LineLost

LOCK = ".lock"
NAME = "run.db"


def study_of(store: Path) -> str:
    """What a study is called on every node: by its store, and the machine that this is on."""
    return hashlib.sha256(f"{host()}:{store}".encode("utf-8", "surrogatepass")).hexdigest()[:16]


@contextmanager
def own_store(study: str, run: str) -> Iterator[Path]:
    """The path of a store that this process alone uses. It is gone afterwards, unless whoever leads the study is.

    Raises StoreError where the node has no place for it.
    """
    folder = Path(f"{_begins(study)}{run[:8]}-{uuid.uuid4().hex[:8]}")
    held = _locks().FileLock(f"{folder}{LOCK}", mode=0o600)
    try:
        # The lock first, so that nobody finds the folder without it.
        held.acquire()
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise StoreError(f"no store can be kept in {folder.parent}: {error.strerror}; see to it, or set TMPDIR") from None
    try:
        yield folder / NAME
    except LineLost:
        raise
    except BaseException:
        _remove(folder)
        raise
    else:
        _remove(folder)
    finally:
        held.release()


def left_behind(study: str) -> Iterator[Path]:
    """The stores that workers of a study have left on this node, each removed when the next is asked for."""
    begins = _begins(study)
    for lock in sorted(begins.parent.glob(f"{begins.name}*{LOCK}")):
        folder = Path(str(lock).removesuffix(LOCK))
        if not _is_ours(lock) or not _is_ours(folder):
            continue  # Anybody may put files there.
        with contextlib.suppress(_locks().Timeout, OSError), _locks().FileLock(lock, timeout=0, mode=0o600):
            if (folder / NAME).exists():
                yield folder / NAME
            _remove(folder)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    Path(f"{folder}{LOCK}").unlink(missing_ok=True)


def _is_ours(path: Path) -> bool:
    """Whether this user has made a file or folder, or nobody has; what a link leads to may be anybody's."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return True
    return not stat.S_ISLNK(found.st_mode) and (not hasattr(os, "getuid") or found.st_uid == os.getuid())


def _locks() -> Any:
    return import_module("filelock")  # Ray brings it.


def _begins(study: str) -> Path:
    """How the paths of a study's folders begin, for this user."""
    return Path(tempfile.gettempdir()) / f"metaspo-{os.getuid() if hasattr(os, 'getuid') else 0}-{study}-"
