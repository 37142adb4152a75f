"""Images of questions: told by their bytes, known by their hash, never in a row themselves."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from metaspo.domain.errors import TaskError
from metaspo.domain.messages import as_data, image_urls
from metaspo.domain.results import Example
from metaspo.tasks.examples import load_pools
from metaspo.tasks.rows.images import MOST_BYTES, type_of
from metaspo.tasks.spec import TaskSpec
from metaspo.tasks.task import Task
from tests.helpers.pictures import GIF, JPEG, WEBP, png

PNG = png()
STORED = f"sha256:{hashlib.sha256(PNG).hexdigest()}"


def spec_of(rows: Any, **settings: Any) -> TaskSpec:
    block = {"name": "t", "examples": rows, "user_prompt": "Look.\n{question}\nBriefly.", "reader": {"kind": "text"}}
    return TaskSpec.model_validate(block | settings)


def only(spec: TaskSpec) -> Example:
    ((example,),) = load_pools(spec).values()
    return example


def seen(part: Any, **beside: Any) -> list[str]:
    """The addresses of a conversation with one part that is an image."""
    turn = {"role": "user", "content": ["What is it?", part]}
    return image_urls(only(spec_of([{"question": [turn], "answer": "x"} | beside["row"]], **beside["task"])).messages)


def written(folder: Path, rows: list[dict[str, Any]], **files: bytes) -> TaskSpec:
    (folder / "data").mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / "data" / name).write_bytes(content)
    file = folder / "data" / "rows.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    return spec_of(str(file), images="photo")


def test_a_column_of_images_goes_after_the_users_text(tmp_path: Path) -> None:
    spec = written(tmp_path, [{"question": "A cat?", "answer": "no", "photo": ["a", "https://x.org/b.png"]}], a=PNG)
    example = only(spec)
    assert example.question == f"A cat?\n[image {STORED[:23]}]\n[image https://x.org/b.png]"
    [message] = Task(spec, {}).messages("", spec.user_prompt, example)
    assert as_data(message) == {
        "role": "user",
        "content": [
            {"type": "text", "text": "Look.\nA cat?\nBriefly."},
            {"type": "image_url", "image_url": {"url": STORED}},
            {"type": "image_url", "image_url": {"url": "https://x.org/b.png"}},
        ],
    }
    assert "base64" not in repr(example)
    assert [one[0] for one in spec._images.of(list(spec._images.found))] == [STORED[7:]]


def test_the_same_question_about_another_image_is_another_example(tmp_path: Path) -> None:
    rows = [{"question": "A cat?", "answer": "no", "photo": name} for name in ("a", "b")]
    assert len(load_pools(written(tmp_path, rows, a=png(1), b=png(2)))[""]) == 2
    with pytest.raises(TaskError, match="has this question already"):
        load_pools(written(tmp_path, rows, a=png(1), b=png(1)))
    first = only(written(tmp_path, rows[:1], a=png(1)))
    assert only(written(tmp_path, rows[:1], a=png(3))).id != first.id


def test_a_row_may_go_without_an_image(tmp_path: Path) -> None:
    plain = {"question": "2 + 2?", "answer": "4"}
    for nothing in (None, "", []):
        assert only(written(tmp_path, [plain | {"photo": nothing}])) == only(spec_of([plain]))
    with pytest.raises(TaskError, match="no field 'photo'"):
        only(written(tmp_path, [plain]))


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "a.png"}},
        {"type": "image_url", "image_url": "a.png"},
        {"type": "input_image", "image_url": "a.png"},
        {"type": "image", "path": "a.png"},
        {"type": "image", "image": {"bytes": PNG, "path": None}},
        {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": base64.b64encode(PNG).decode()}},
        {"type": "image", "base64": base64.b64encode(PNG).decode(), "mime_type": "image/png"},
        {"type": "image_url", "image_url": {"url": "data:image/gif;base64," + base64.b64encode(PNG).decode()}},
        {"type": "image"},
        {"type": "image", "text": None, "url": None},
    ],
)
def test_forms_in_which_people_write_an_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: Any) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    monkeypatch.chdir(tmp_path)
    beside = (
        {"photo": "a.png"} if not any(part.get(name) for name in ("image_url", "path", "image", "source", "base64")) else {}
    )
    assert seen(part, row=beside, task={"images": "photo"} if beside else {}) == [STORED]


def test_an_address_is_passed_through_with_its_detail() -> None:
    part = {"type": "image_url", "image_url": {"url": "https://x.org/b.png", "detail": "low"}}
    example = only(spec_of([{"question": [{"role": "user", "content": ["?", part]}], "answer": "x"}]))
    assert as_data(example.messages[0])["content"][1] == part


def test_an_image_is_told_by_its_bytes() -> None:
    assert [type_of(one) for one in (PNG, JPEG, GIF, WEBP, b"<svg", b"BM")] == [
        "image/png", "image/jpeg", "image/gif", "image/webp", None, None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<html>", "is a file that begins with b'<html>', not a PNG, JPEG, GIF or WebP image; convert it"),
        (b"", "is empty, not a PNG"),
        (PNG + bytes(MOST_BYTES), "has 20.0 MB, more than 20; make it smaller"),
        (None, "no image 'a': there is no file"),
    ],
)
def test_what_is_no_image_is_told_with_file_row_and_field(tmp_path: Path, content: bytes | None, said: str) -> None:
    row = {"question": "?", "answer": "no", "photo": "a"}
    spec = written(tmp_path, [row], **({} if content is None else {"a": content}))
    with pytest.raises(TaskError) as told:
        only(spec)
    assert str(told.value).startswith(f"{tmp_path / 'data' / 'rows.jsonl'}:1: field 'photo'")
    assert said in str(told.value)


@pytest.mark.parametrize(
    ("value", "said"), [(5, "an image is 5; write the path"), ("data:image/png;base64,!!", "cannot be read")]
)
def test_values_that_are_no_images(value: Any, said: str) -> None:
    with pytest.raises(TaskError, match=f"example 1: field 'photo': .*{said}"):
        only(spec_of([{"question": "?", "answer": "no", "photo": value}], images="photo"))


def test_a_file_that_changes_before_it_is_kept_is_told(tmp_path: Path) -> None:
    spec = written(tmp_path, [{"question": "?", "answer": "no", "photo": "a"}], a=PNG)
    only(spec)
    (tmp_path / "data" / "a").write_bytes(png(9))
    with pytest.raises(TaskError, match="has changed while the run began"):
        list(spec._images.of([STORED[7:]]))


@pytest.mark.parametrize("names", [["a.png", "b.png"], '["a.png", "b.png"]', "['a.png', 'b.png']"])
def test_images_stand_where_the_text_says_so(tmp_path: Path, names: Any) -> None:
    for name, color in (("a.png", 1), ("b.png", 2)):
        (tmp_path / name).write_bytes(png(color))
    first, second = (f"[image sha256:{hashlib.sha256(png(color)).hexdigest()[:16]}]" for color in (1, 2))
    beside: dict[str, Any] = {"images": "photos", "image_folder": str(tmp_path)}

    def read(question: Any) -> str:
        return only(spec_of([{"question": question, "photos": names, "answer": "x"}], **beside)).question

    turns = [
        {"from": "human", "value": "<image>\nWhat is it?"},
        {"from": "gpt", "value": "A cat."},
        {"from": "human", "value": "And it?"},
    ]
    assert read(turns) == f"user: {first}\nWhat is it?\n\nassistant: A cat.\n\nuser: And it?\n{second}"
    assert read("Is <image> or <image> older than <image>?") == f"Is \n{first}\n or \n{second}\n older than <image>?"
    assert read("Which?") == f"Which?\n{first}\n{second}"
