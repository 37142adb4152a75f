"""What people name in Python: `package.module:attribute`."""

import os
import sys
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import Any


def import_attribute(name: str, *folders: Path) -> Any:
    """The attribute that `package.module:attribute` names; it may be one of an attribute, as in `module:thing.method`.

    The working directory and `folders` count as import paths from now on, after those that Python has.
    Raises whatever the module raises, which may be anything, SystemExit too: a script without a
    `__main__` guard ends the process when it is imported.
    """
    for folder in (os.getcwd(), *map(str, folders)):
        if folder not in sys.path:
            sys.path.append(folder)
    module, _, attribute = name.partition(":")
    # Not `pkgutil.resolve_name`: it refuses modules such as `my-prompts` and `2024_tasks`, which can be imported.
    return attrgetter(attribute)(import_module(module))
