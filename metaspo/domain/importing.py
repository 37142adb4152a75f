"""What people name in Python: `package.module:attribute`."""

import os
import sys
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import Any


def import_attribute(name: str, folder: Path | None = None) -> Any:
    """The attribute that `package.module:attribute` names; `module:thing.part` goes further down.

    From now on the working directory and `folder` are import paths, after those that Python has.
    Raises whatever the module raises while it is imported. That may be anything, SystemExit too: a
    script that does its work without asking for `__main__` may end with one.
    """
    for path in (os.getcwd(), *([str(folder)] if folder else [])):
        if path not in sys.path:
            sys.path.append(path)
    module, _, attribute = name.partition(":")
    # Not `pkgutil.resolve_name`: it refuses `my-prompts` and `2024_tasks`, which are modules that can be imported.
    return attrgetter(attribute)(import_module(module))
