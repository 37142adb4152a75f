"""What is addressed by its content: prompts, tasks with their examples, images. The same twice is one; another is damage."""

import hashlib
import json
from pathlib import Path

from sqlite_utils import Database

from ...domain.errors import StoreError
from ...domain.messages import message_of
from ...domain.prompts import Prompt
from ...domain.results import example_id
from .chosen import insert

OF_TASKS = (
    "$.reader.kind", "$.reader.source", "$.reader.labels", "$.reader.pattern",
    "$.metric.kind", "$.metric.own", "$.metric.rubric",
)  # fmt: skip
"""What the id of a task stands for, as far as all versions write it alike."""

DIFFER = {
    "prompts": ("id", "m.kind <> f.kind OR m.text <> f.text"),
    "images": ("hash", "m.content <> f.content"),
    "tasks": ("id", " OR ".join(["m.name <> f.name", *(f"m.spec -> '{at}' IS NOT f.spec -> '{at}'" for at in OF_TASKS)])),
}
"""The key of a table, and what tells that two rows of that key are not the same."""


def join_content(db: Database, origin: Path, here: str) -> None:
    """Take over what is not here yet. Raises StoreError where two rows of one address say different things."""
    for table, (key, differ) in DIFFER.items():
        found = db.execute(
            f"SELECT f.{key} FROM from_{table} f JOIN main.{table} m ON m.{key} = f.{key} WHERE {differ} LIMIT 1"
        )
        for (id,) in found.fetchall():
            raise _damaged(db, table, id, origin, here)
    _refuse_other_examples(db, origin, here)
    for table, (key, _) in DIFFER.items():
        insert(db, table, f"WHERE NOT EXISTS (SELECT 1 FROM main.{table} m WHERE m.{key} = f.{key})")
    insert(db, "examples", "WHERE NOT EXISTS (SELECT 1 FROM main.examples m WHERE m.task = f.task AND m.id = f.id)")


def _refuse_other_examples(db: Database, origin: Path, here: str) -> None:
    """A task's id holds the ids of its examples, and an example's id what it asks: both files have the same ones."""
    for some, whole, file, other in (("main.", "from_", here, origin), ("from_", "main.", origin, here)):
        lacking = (
            f"SELECT w.task, w.id FROM {whole}examples w JOIN {some}tasks t ON t.id = w.task"
            f" LEFT JOIN {some}examples s ON s.task = w.task AND s.id = w.id WHERE s.id IS NULL LIMIT 1"
        )
        for task, id in db.execute(lacking).fetchall():
            raise StoreError(
                f"{file} lacks example {id} of task {task}, which {other} has: {file} is damaged, restore it from a copy"
            )
    # The same texts may be written with other spaces.
    differ = " OR ".join(f"m.{name} IS NOT f.{name}" for name in ("question", "answers", '"row"', "messages"))
    both = f"SELECT f.task, f.id FROM from_examples f JOIN main.examples m ON m.task = f.task AND m.id = f.id WHERE {differ}"
    for task, id in db.execute(both).fetchall():
        for table, file in (("from_examples", str(origin)), ("main.examples", here)):
            asked = f'SELECT question, answers, "row", messages FROM {table} WHERE task = ? AND id = ?'
            if _example_id(*db.execute(asked, [task, id]).fetchone()) != id:
                raise StoreError(f"example {id} of task {task} is not what it was in {file}: restore that file from a copy")


def _example_id(question: str, answers: str, row: str | None, messages: str | None) -> str:
    try:
        told = [message_of(one) for one in json.loads(messages or "[]")]
        return example_id(question, json.loads(answers), told, row or "")
    except (ValueError, TypeError, KeyError):
        return ""


def _damaged(db: Database, table: str, id: str, origin: Path, here: str) -> StoreError:
    """Which of two rows of one address is not what its address says."""
    told = f"{table.removesuffix('s')} {id} is not the same in {origin} and {here}"
    for source, file in ((f"from_{table}", str(origin)), (f"main.{table}", here)):
        if table == "prompts":
            kind, text = db.execute(f"SELECT kind, text FROM {source} WHERE id = ?", [id]).fetchone()
            is_right = Prompt("user" if kind == "user" else "system", text).id == id
        elif table == "images":
            is_right = (
                hashlib.sha256(db.execute(f"SELECT content FROM {source} WHERE hash = ?", [id]).fetchone()[0]).hexdigest() == id
            )
        else:
            continue
        if not is_right:
            return StoreError(f"{told}: it was changed in {file}; restore that file from a copy. Nothing was joined")
    return StoreError(f"{told}: one of them was changed; restore it from a copy. Nothing was joined")
