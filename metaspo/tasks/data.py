"""Where the data stands that comes with metaspo."""

from ..prompts.renderer import FOLDER

DATASETS = FOLDER.parent / "datasets"
"""The folder `datasets/`. It is no package in an editable install, so it is found as the sibling of a room at the root."""
