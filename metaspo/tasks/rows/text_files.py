"""The text of a file: unpacked, decoded by its byte order mark or as told, its line ends made one."""

import codecs
import gzip
import zlib
from pathlib import Path

from ...domain.errors import TaskError

ENCODINGS = "save the file as UTF-8 or set 'encoding' (latin-1, cp1252, utf-16, ...)"
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""What a file may begin with, and the encoding that this means; the longer ones first where one begins like another."""

NO_DATA = (
    ("<!doctype html", "a web page, not the data; download the file itself"),
    ("<html", "a web page, not the data; download the file itself"),
    ("version https://git-lfs", "a pointer of Git LFS, not the data; run: git lfs pull"),
)
"""What files begin with that were downloaded the wrong way."""


def read_text(path: Path, encoding: str) -> str:
    """All text of a file, of a gzipped one too (.gz); lines end in a line feed.

    A byte order mark says more than `encoding`. Raises TaskError naming file and line: no such file, another encoding,
    damaged.
    """
    content = _content(path)
    encoding = next((name for mark, name in MARKS if content.startswith(mark)), encoding)
    try:
        text = content.decode(_with_order(encoding, content))
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise TaskError(f"{path}:{line}: not {encoding} text; {ENCODINGS}") from None
    except UnicodeError:
        raise TaskError(f"{path}: not {encoding} text; {ENCODINGS}") from None
    except LookupError:
        raise TaskError(f"{path}: unknown encoding {encoding!r}; {ENCODINGS}") from None
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise TaskError(f"{path}:{line}: holds a NUL byte, so it is not {encoding} text; {ENCODINGS}")
    if no_data := next((said for begins, said in NO_DATA if text.lstrip()[:100].lower().startswith(begins)), None):
        raise TaskError(f"{path}: {no_data}")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _with_order(encoding: str, content: bytes) -> str:
    """UTF-16 without a mark, by which of each two bytes is mostly 0; a file of lines and fields has such."""
    if codecs.lookup(encoding).name != "utf-16" or content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return encoding
    first, second = content[::2].count(0), content[1::2].count(0)
    if not first and not second:
        raise UnicodeError
    return "utf-16-be" if first > second else "utf-16-le"


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if path.suffix.lower() == ".gz" else content
    except FileNotFoundError:
        raise TaskError(f"{path}: no such file; 'examples' is relative to the file that names it") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise TaskError(f"{path}: not a whole gzip file: {error}; unpack it, or name a file without .gz") from None
    except (OSError, ValueError) as error:
        raise TaskError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
