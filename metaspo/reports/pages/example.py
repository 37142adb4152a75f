"""One example on a page: its question and both replies, cut to the room that there is for them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlite_utils import Database

from ...domain.excerpts import excerpt
from ...domain.messages import stored_images
from ...domain.results import Example, Outcome
from ...domain.steps import in_words
from ...domain.thoughts import without_thoughts
from ...store import evaluations, images
from ...tasks.scores.judge import reasons
from ..answered import Answered, answered
from ..changed import Change, Compared
from .room import cut, room_of

MARKUP = 460
"""Bytes that an example takes beside its texts and their labels, at most."""

LABEL = 50
"""Bytes of a text's label, at most."""

FOLDED = 60
"""Bytes more of one that is folded."""

THUMBNAIL = 6_000
"""Characters of an image in base64 that is shown; of a larger one there are words alone."""

PICTURES = tuple(f"data:image/{kind};base64," for kind in ("png", "jpeg", "gif", "webp"))
"""What is shown as an image, all of it nothing but pixels."""

ANSWERS, IMAGES = 5, 3
"""Accepted answers that are named, and images of a question that are shown."""


@dataclass(frozen=True, slots=True)
class Side:
    """One reply as it is shown: texts are cut; `thought` is all of it where `reply` leaves thoughts out."""

    kind: str
    score: float | None
    answer: str | None
    reply: str
    thought: str
    explanation: str
    finish: str
    error: str
    steps: str

    @property
    def room(self) -> int:
        """Bytes that its texts take."""
        texts = (self.answer, self.reply, self.thought, self.explanation, self.finish, self.error, self.steps)
        folded = FOLDED * (bool(self.thought) + bool(self.steps))
        return folded + sum(room_of(text) + LABEL for text in texts if text)


@dataclass(frozen=True, slots=True)
class Shown:
    """One example as it is shown. `task` and `base` are places in lists, so that no name has to be in an attribute.

    `model` names the base model where several answered. `before` is None where the seed prompts were not scored on it.
    `alike` says that both replies are the same to the letter.
    """

    task: int
    base: int
    model: str
    change: Change
    title: str
    question: str
    images: Sequence[str]
    expected: Sequence[str]
    before: Side | None
    after: Side
    alike: bool

    @property
    def room(self) -> int:
        """Bytes that it takes on the page, at most."""
        sides = [self.after, *([self.before] if self.before and not self.alike else [])]
        texts = (self.title, self.model, self.question, *self.expected, *self.images)
        return MARKUP + sum(room_of(text) + LABEL for text in texts) + sum(side.room for side in sides)


@dataclass(frozen=True, slots=True)
class Wanted:
    """An example to be shown: `task` and `base` are places in lists, `of` the task's id."""

    task: int
    base: int
    of: str
    found: Compared


def read(db: Database, wanted: Sequence[Wanted], longest: int) -> list[Shown]:
    """Examples with their texts, each cut to so many bytes; a query for the replies, one for each task's questions."""
    outcomes = [found for one in wanted for found in (one.found.before, one.found.after) if found]
    replies = _by_call(db, outcomes)
    known = {
        (task, id): example
        for task in {one.of for one in wanted}
        for id, example in evaluations.some_examples(db, task, [one.found.example for one in wanted if one.of == task]).items()
    }
    examples = [known.get((one.of, one.found.example)) or Example("", "", ()) for one in wanted]
    pictures = _thumbnails(db, examples)
    return [
        _shown(one, example, [pictures[hash] for hash in stored_images(example.messages) if hash in pictures], replies, longest)
        for one, example in zip(wanted, examples, strict=True)
    ]


def _by_call(db: Database, outcomes: Sequence[Outcome]) -> dict[Outcome, Answered]:
    return dict(zip(outcomes, answered(db, outcomes), strict=True))


def _thumbnails(db: Database, examples: Sequence[Example]) -> dict[str, str]:
    """The images that are small enough to be shown, by hash."""
    hashes = list(dict.fromkeys(hash for example in examples for hash in stored_images(example.messages)))
    small = [hash for hash, size in images.sizes(db, hashes).items() if size * 4 <= THUMBNAIL * 3]
    return {hash: url for hash, url in images.data_urls(db, small).items() if url.startswith(PICTURES)}


def _shown(one: Wanted, example: Example, pictures: Sequence[str], replies: dict[Outcome, Answered], longest: int) -> Shown:
    before, after = (replies[found] if found else None for found in (one.found.before, one.found.after))
    assert after is not None
    answers = [cut(answer, longest // ANSWERS) for answer in example.answers[:ANSWERS]]
    more = len(example.answers) - ANSWERS
    return Shown(
        task=one.task,
        base=one.base,
        model=excerpt(one.found.base),
        change=one.found.change,
        title=excerpt(example.last_turn, 90),
        question=cut(example.question, longest),
        images=pictures[:IMAGES],
        expected=[*answers, *([f"{more} more"] if more > 0 else [])],
        before=_side(before, longest) if before else None,
        after=_side(after, longest),
        alike=before == after,
    )


def _side(found: Answered, longest: int) -> Side:
    said = without_thoughts(found.reply)
    whole = found.reply if said.strip() != found.reply.strip() else ""
    return Side(
        kind=found.kind,
        score=found.score,
        answer=None if found.answer is None else cut(found.answer, longest),
        reply=cut(said, longest),
        thought=cut(whole, longest),
        explanation=cut(reasons(found.explanation), longest),
        finish="" if found.finish == "stop" else excerpt(found.finish),
        error=cut(found.error, longest),
        steps=cut(in_words(found.steps), longest),
    )
