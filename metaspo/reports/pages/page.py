"""A page as one HTML file: templates filled in, styles and scripts inside, and nothing that a browser would fetch.

Whatever comes from data is text: Jinja escapes it, and the page's own policy lets a browser run and fetch nothing else.
"""

import base64
import hashlib
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ...domain.percentages import percent, signed
from ...domain.visible import visible

HERE = Path(__file__).parent / "templates"


def page(template: str, title: str, **shown: Any) -> str:
    """A whole page: the template, by its file's name, with what it shows; it extends `base.html`."""
    made = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return _templates().get_template(template).render(title=title, made=made, version=version("metaspo"), **shown)


def fragment(template: str, **shown: Any) -> str:
    """A part of a page by itself, for places that have a page of their own, such as a notebook."""
    return _templates().get_template(template).render(**shown)


def count(number: int) -> str:
    """A number of things."""
    return f"{number:,}"


def tick(value: float) -> str:
    """A score in [0, 1] at an axis."""
    return f"{round(100 * value, 6):g}"


def short(number: float) -> str:
    """A number of calls at an axis, where there is little room."""
    return f"{round(number / 1000, 3):g}k" if number >= 10_000 else f"{number:,g}"


@cache
def _templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.filters |= {"percent": percent, "change": signed, "count": count, "tick": tick, "short": short}
    # Control characters, and those that turn the direction of text around, are shown and not obeyed.
    made.finalize = lambda value: visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
    style, script = (_together(kind) for kind in ("css", "js"))
    made.globals |= {
        "style": Markup(style),
        "script": Markup(script),
        "policy": f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; img-src data:; base-uri 'none'; "
        "form-action 'none'",
    }
    return made


def _together(kind: str) -> str:
    """What the styles or scripts of all parts are in one: that of the whole page first, then by name.

    The style of a part holds inside elements of its class only, which is its file's name: no part reaches into another.
    """
    files = sorted(HERE.glob(f"*.{kind}"), key=lambda path: (path.stem != "base", path.stem))
    texts = {path.stem: path.read_text(encoding="utf-8") for path in files}
    if kind == "css":
        texts = {part: text if part == "base" else f".{part} {{\n{text}}}" for part, text in texts.items()}
    return "\n".join(texts.values())


def _hash(text: str) -> str:
    """What lets a browser tell the page's own style or script from any other."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
