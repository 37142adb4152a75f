"""The images that a task's questions show: read once, known by the hash of their bytes."""

import base64
import binascii
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

from ...domain.errors import TaskError
from ...domain.messages import STORED
from ...domain.paths import path_of

MOST_BYTES = 20 * 2**20
"""Bytes of the largest image that is taken; hardly an endpoint takes more."""

MAGIC = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
}
"""What the bytes of an image begin with; names of files say nothing."""

WANTED = "write the path of a PNG, JPEG, GIF or WebP file, or an address that begins with https://"


@dataclass(frozen=True, slots=True)
class Image:
    """An image by its type, and where its bytes are."""

    media_type: str
    source: Path | bytes


@dataclass
class Images:
    """The images of a task by the sha256 of their bytes, which stay in their files until a store takes them.

    With `inline`, an image is data itself: nothing is looked for in a file or on the web.
    """

    found: dict[str, Image] = field(default_factory=dict, compare=False)
    inline: bool = field(default=False, compare=False)
    _paths: dict[Path, str] = field(default_factory=dict, compare=False)

    def url(self, held: Any, folders: Sequence[Path], where: str) -> str:
        """The address of an image that a row holds: its own on the web, or the reference to its bytes.

        A value is an address, a path in one of `folders`, a data URL, the bytes, `{"bytes": ..., "path": ...}` as data sets
        have it, or an image of Pillow's. Raises TaskError, which `where` begins.
        """
        if isinstance(held, Mapping):
            held = next((held[name] for name in ("bytes", "path", "url") if held.get(name)), None)
        if hasattr(held, "save") and hasattr(held, "mode"):
            held = encoded(held)
        if isinstance(held, bytes | bytearray):
            return self._known(bytes(held), bytes(held), where)
        value = str(held).strip() if isinstance(held, str | Path) else ""
        if not value:
            raise TaskError(f"{where}: an image is {'null' if held is None else repr(held)[:60]}; {WANTED}")
        if value.startswith("data:"):
            content = _from_data_url(value, where)
            return self._known(content, content, where)
        if self.inline:
            raise TaskError(f"{where}: an image is taken as data only; write data:image/png;base64,... in its place")
        if value.lower().startswith(("http://", "https://")):
            return value
        return self._file(value, folders, where)

    def of(self, hashes: Sequence[str]) -> Iterator[tuple[str, str, bytes]]:
        """Hash, type and bytes of some of the images; raises TaskError where a file has changed since it was read."""
        for hash in hashes:
            image, source = self.found[hash], self.found[hash].source
            content = source if isinstance(source, bytes) else _read(source, "a question")
            if not isinstance(source, bytes) and hashlib.sha256(content).hexdigest() != hash:
                raise TaskError(f"{source}: the image has changed while the run began; start it again")
            yield hash, image.media_type, content

    def _file(self, written: str, folders: Sequence[Path], where: str) -> str:
        path = path_of(unquote(written.removeprefix("file://")) if written.startswith("file://") else written)
        tried = [folder / path for folder in folders] or [path]
        path = next((one for one in tried if _is_file(one)), tried[0])
        if path not in self._paths:
            if not _is_file(path):
                raise TaskError(f"{where}: no image {written[:200]!r}: there is no file {path}; {WANTED}")
            self._paths[path] = self._known(_read(path, where), path, where)
        return self._paths[path]

    def _known(self, content: bytes, source: Path | bytes, where: str) -> str:
        named = f"{where}: the image" + (f" {source!s}" if isinstance(source, Path) else "")
        if len(content) > MOST_BYTES:
            raise TaskError(f"{named} has {len(content) / 2**20:.1f} MB, more than {MOST_BYTES // 2**20}; make it smaller")
        media_type = type_of(content)
        if media_type is None:
            raise TaskError(f"{named} is {_said(content)}, not a PNG, JPEG, GIF or WebP image; convert it, or fix the row")
        hash = hashlib.sha256(content).hexdigest()
        self.found.setdefault(hash, Image(media_type, source))
        return f"{STORED}{hash}"


def type_of(content: bytes) -> str | None:
    """The media type of an image by its bytes, or None for what is none that endpoints take."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((name for name, begins in MAGIC.items() if content.startswith(begins)), None)


def _said(content: bytes) -> str:
    return "empty" if not content else f"a file that begins with {content[:8]!r}"


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _read(path: Path, where: str) -> bytes:
    try:
        if (size := path.stat().st_size) > MOST_BYTES:
            raise TaskError(
                f"{where}: the image {path} has {size / 2**20:.1f} MB, more than {MOST_BYTES // 2**20}; make it smaller"
            )
        return path.read_bytes()
    except OSError as error:
        raise TaskError(f"{where}: the image {path} cannot be read: {error.strerror or error}") from None


def _from_data_url(url: str, where: str) -> bytes:
    head, comma, data = url.partition(",")
    try:
        if not comma:
            raise ValueError("it has no comma")
        return base64.b64decode(unquote(data), validate=True) if head.endswith(";base64") else unquote_to_bytes(data)
    except (ValueError, binascii.Error) as error:
        raise TaskError(f"{where}: the data URL {url[:40]!r} cannot be read: {error}; {WANTED}") from None


def encoded(picture: Any) -> bytes:
    """The bytes of an image of Pillow's: without loss, whatever it was before."""
    written = io.BytesIO()
    picture.save(written, format="PNG")
    return written.getvalue()
