"""What nobody may make a server do by what he writes: values that name things, and traps that show when one was used."""

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CANARY = "canary-4711-sings"
VARIABLE = "METASPO_TEST_CANARY"

ROWS = [{"question": f"Is {n} odd?", "answer": "yes" if n % 2 else "no"} for n in range(40)]
READER = {"kind": "choice", "labels": ["yes", "no"], "from": "reply"}


def task(**settings: Any) -> dict[str, Any]:
    return {"name": "odd", "examples": ROWS, "user_prompt": "Say yes or no.\n{question}", "reader": READER} | settings


class Traps:
    """A folder whose files sing, a module that leaves a mark when it is imported, and an address that counts its callers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mark = folder / "mark"
        self.text = folder / "canary.txt"
        self.text.write_text(CANARY)
        (folder / "canary.md").write_text(CANARY)
        rows = [{"question": f"{CANARY} {n}", "answer": "yes" if n % 2 else "no"} for n in range(40)]
        (folder / "canary.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        (folder / "canary.json").write_text(json.dumps({"type": "object", "description": CANARY}))
        (folder / "canary.yaml").write_text(json.dumps(task(examples=rows, description=CANARY)))
        (folder / "traps.py").write_text(
            f"from pathlib import Path\nPath({str(self.mark)!r}).touch()\ndef trap(*a, **k):\n    return {CANARY!r}\n"
        )
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.callers = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                called, _ = self._listener.accept()
            except OSError:
                return
            self.callers += 1
            called.close()

    def close(self) -> None:
        self._listener.close()

    @property
    def values(self) -> list[Any]:
        """One of each kind of thing that a text can name."""
        folder, port = self.folder, self.url
        return [
            str(self.text), f"file:{self.text}", f"file://{self.text}", f"{folder}/canary.yaml", f"{folder}/canary.jsonl",
            f"{folder}/canary.json", str(folder), "../canary.yaml", "canary.yaml", "~/canary.yaml", "..",
            f"//localhost{folder}/canary.jsonl", f"@{self.text}", "subprocess:getoutput", "traps:trap", "reward:traps:trap",
            "scripted:traps:trap", "program:traps:trap", "object:trap", f"local:{self.text}",
            "vllm:m,python=/bin/true,flags=--x", f"server:m,base_url={port}/v1,api_key_env={VARIABLE}",
            f"scripted:dice,base_url={port}/v1", f"openai:m,base_url={port}/v1", "hf:owner/name", "langsmith:data",
            f"{port}/canary.jsonl", "/etc/passwd", f"${{{VARIABLE}}}",
            {"provider": "server", "name": "m", "base_url": f"{port}/v1", "api_key_env": VARIABLE},
            {"hf": "owner/name"}, {"path": str(self.text)}, [str(self.text)], [f"{folder}/canary.yaml"],
        ]  # fmt: skip

    def refuse_sprung(self, *told: str) -> None:
        """Nothing was imported or called up, and nothing of what the files hold stands in what was told."""
        assert not self.mark.exists(), "a module was imported"
        assert not self.callers, "somebody called"
        assert not any(CANARY in text for text in told), "a file was read"


Path_ = tuple[str, ...]


def places(schema: dict[str, Any], root: dict[str, Any] | None = None, deep: int = 0) -> Iterator[Path_]:
    """The way to everything that a JSON schema describes, by key; "0" is an item of a list, "*" a name of a mapping."""
    root = schema if root is None else root
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    for other in schema.get("anyOf", []) + schema.get("oneOf", []) + schema.get("allOf", []):
        yield from places(other, root, deep)
    parts = {**schema.get("properties", {})}
    parts |= {"0": schema["items"]} if isinstance(schema.get("items"), dict) else {}
    parts |= {"*": more} if isinstance(more := schema.get("additionalProperties"), dict) else {}
    for name, part in parts.items():
        yield (name,)
        yield from ((name, *rest) for rest in (places(part, root, deep + 1) if deep < 5 else ()))


def put(given: dict[str, Any], place: Path_, value: Any) -> dict[str, Any]:
    """What was given with a value at a place."""
    name, *rest = place
    inner: Any = value
    if rest:
        before = given.get(name) if isinstance(given.get(name), dict) else {}
        inner = [_inner(rest[1:], value)] if rest[0] == "0" else put(before or {}, tuple(rest), value)
    return {**given, "x" if name == "*" else name: inner}


def _inner(rest: list[str], value: Any) -> Any:
    if not rest:
        return value
    return [_inner(rest[1:], value)] if rest[0] == "0" else put({}, tuple(rest), value)
