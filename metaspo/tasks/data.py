"""Where the data stands that comes with metaspo."""

from pathlib import Path

from .. import prompts

DATASETS = Path(prompts.__file__).resolve().parent.parent / "datasets"
"""The folder `datasets/`. It is no package in an editable install, so it is found as the sibling of a room at the root."""
