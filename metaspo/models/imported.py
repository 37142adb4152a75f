"""What a spec names in Python: `package.module:attribute`, the working directory being an import path."""

import importlib
import os
import sys
from typing import Any

from ..domain.errors import ModelError


def imported(label: str, name: str) -> Any:
    """The attribute that `name` names; raises ModelError when it cannot be imported. `label` is the spec for messages."""
    module, _, attribute = name.partition(":")
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    try:
        found: Any = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (Exception, SystemExit) as error:
        raise ModelError(f"{label} cannot be imported: {error}") from error
    return found
