"""A folder of versions, for people and programs: every push is a folder of its own, numbered, and never written again."""

import os
import re
import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import yaml

from ...domain.errors import ConfigError
from .registry import Kept, Place, Refused
from .version import Version

ABOUT = "version.yaml"
"""The file that says what the texts beside it are."""

NUMBER = re.compile(r"\d{4,}")


class Folder(Place):
    """Folders 0001, 0002 and so on, each with the prompts of one run as text files and `version.yaml` beside them."""

    def __init__(self, path: Path) -> None:
        """Keep versions in this folder, which is made when the first one is."""
        self.path, self.where = path, str(path)

    def keep(self, named: Sequence[tuple[str, Version]], kept: list[Kept], *, dry_run: bool) -> None:
        """Write all prompts as one version; all of it is there or nothing."""
        made = {f"{name}.txt" if version.task else "system.txt": version for name, version in named}
        try:
            there, newer = self._same([version.digest for version in made.values()])
            label = there or ("" if dry_run else self._write(made))
        except OSError as error:
            raise Refused(f"{error.filename or self.path}: {error.strerror or error}", theirs=True) from None
        for file, version in made.items():
            state: Literal["new", "there"] = "there" if there else "new"
            confirmed = version.confirmed and bool(label) and not newer
            kept.append(Kept(file, version.kind, version.task, label, state, confirmed))

    def _numbers(self) -> list[str]:
        found = [one.name for one in self.path.iterdir() if NUMBER.fullmatch(one.name)] if self.path.is_dir() else []
        return sorted(found, key=int)

    def _same(self, digests: list[str]) -> tuple[str | None, bool]:
        """The number of the same version, if it is there, and whether a newer one is confirmed."""
        newer = False
        for number in reversed(self._numbers()):
            try:
                written = yaml.safe_load((self.path / number / ABOUT).read_text(encoding="utf-8"))
                if [prompt["digest"] for prompt in written["prompts"]] == digests:
                    return number, newer
                newer = newer or written["verdict"] == "confirmed"
            except (OSError, ValueError, TypeError, KeyError, yaml.YAMLError):
                continue  # Not one of ours, or not whole: it is left alone.
        return None, False

    def _write(self, made: dict[str, Version]) -> str:
        self.path.mkdir(parents=True, exist_ok=True)
        hidden = self.path / f".{uuid.uuid4().hex}"
        try:
            hidden.mkdir()
            for file, version in made.items():
                _write(hidden / file, version.text)
            _write(hidden / ABOUT, yaml.safe_dump(_described(made), sort_keys=False, allow_unicode=True, width=120))
            while True:
                number = f"{int((self._numbers() or ['0'])[-1]) + 1:04}"
                # Whoever writes the same at the same moment has the number by now, or takes it and is found the next time.
                if there := self._same([version.digest for version in made.values()])[0]:
                    return there
                try:
                    # A folder that is there is not empty, and no folder is renamed onto such a one.
                    os.rename(hidden, self.path / number)
                    return number
                except OSError:
                    if not (self.path / number).exists():
                        raise
        finally:
            shutil.rmtree(hidden, ignore_errors=True)


def _write(path: Path, text: str) -> None:
    """Exactly the text, on the disk before its folder is seen."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _described(made: dict[str, Version]) -> dict[str, Any]:
    """What `version.yaml` says: the run first, then each prompt with its scores."""
    last = [*made.values()][-1]
    own = ("task", "prompt", "system_prompt", "tasks")
    run = {name: value for name, value in last.about.items() if name not in own}
    prompts = [
        {
            "kind": version.kind,
            **({"task": version.task} if version.task else {}),
            "file": file,
            "prompt": version.about["prompt"],
            "digest": version.digest,
            "scores": dict(version.scores),
        }
        for file, version in made.items()
    ]
    return {**run, "says": last.says, "prompts": prompts}


def folder_of(path: str) -> Folder:
    """The folder that a person named; raises ConfigError where something else is there."""
    found = Path(path or "kept-prompts").expanduser().absolute()
    if found.exists() and not found.is_dir():
        raise ConfigError(f"--to file:{path}: {found} is a file; name a folder")
    return Folder(found)
