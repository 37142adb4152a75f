"""The `images` table: the images that examples show, each once, by the sha256 of its bytes."""

import base64
import hashlib
from collections.abc import Callable, Iterable, Sequence

from sqlite_utils import Database

from .by_keys import by_keys


def save(db: Database, images: Iterable[tuple[str, str, bytes]]) -> None:
    """Record images: hash, media type and bytes of each."""
    with db.atomic():
        for image in images:
            db.execute("INSERT OR IGNORE INTO images (hash, media_type, content) VALUES (?, ?, ?)", list(image))


def keep(db: Database, hashes: Sequence[str], read: Callable[[Sequence[str]], Iterable[tuple[str, str, bytes]]]) -> None:
    """Record those of some images that the store lacks; `read` gives them."""
    save(db, read(missing(db, hashes)))


def missing(db: Database, hashes: Sequence[str]) -> list[str]:
    """Those of some images that are not in the store."""
    known = {hash for (hash,) in by_keys(db, "SELECT hash FROM images WHERE hash IN {keys}", hashes)}
    return [hash for hash in hashes if hash not in known]


def data_urls(db: Database, hashes: Sequence[str]) -> dict[str, str]:
    """Images by hash in the form in which requests carry them; those that are not in the store are left out."""
    rows = by_keys(db, "SELECT hash, media_type, content FROM images WHERE hash IN {keys}", hashes)
    return {hash: f"data:{kind};base64,{base64.b64encode(content).decode()}" for hash, kind, content in rows}


def sizes(db: Database, hashes: Sequence[str]) -> dict[str, int]:
    """The bytes of images by hash."""
    return dict(by_keys(db, "SELECT hash, length(content) FROM images WHERE hash IN {keys}", hashes))


def content_hash(db: Database, hash: str) -> str:
    """The sha256 of the bytes that stand under a hash, "" where there are none."""
    row = db.execute("SELECT content FROM images WHERE hash = ?", [hash]).fetchone()
    return hashlib.sha256(row[0]).hexdigest() if row else ""
