"""A world that is played: its tasks and questions, how they are answered, what the optimizer writes."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from . import phrases, writer
from .world import World

LABELS = ("A", "B", "C", "D")
NAMES = (
    "parcels", "letters", "invoices", "returns", "recipes", "contracts", "lessons", "diaries", "menus", "manuals", "charts",
    "poems", "reviews", "tickets", "rosters", "ballots", "garments", "journeys",
)  # fmt: skip


def chance(*parts: object) -> float:
    """A number in [0, 1) that belongs to its parts."""
    digest = hashlib.blake2b("\0".join(map(str, parts)).encode("utf-8", "surrogatepass"), digest_size=6).digest()
    return int.from_bytes(digest, "big") / 2**48


@dataclass(frozen=True, eq=False)
class Question:
    """A question, what it needs, and what the optimizer can see of that. Each question is one object."""

    text: str
    expected: str
    task: str
    split: str
    needs: frozenset[str]
    revealed: tuple[str, ...]
    possible: bool
    lucky: bool
    crowded: float


@dataclass(frozen=True)
class Reading:
    """What a prompt comes to: the skills that it carries, what in it harms, and its number of instructions."""

    skills: frozenset[str]
    harms: frozenset[str]
    size: int


class Sim:
    """One world with one seed. The same arguments give the same answer, in every process."""

    def __init__(self, world: World, seed: int) -> None:
        """Deal the skills and write the questions."""
        self.world, self.seed = world, seed
        random = Random(f"{world.name}/{seed}")
        topics = random.sample(phrases.TOPICS, len(phrases.TOPICS))
        self.source_tasks = list(NAMES[: world.source])
        self.target_tasks = list(NAMES[world.source : world.source + world.unseen])
        self.tasks = [*self.source_tasks, *self.target_tasks]
        self.shared = topics[: world.shared]
        # Tasks may share a topic where there are many of them; each still calls it its own.
        rest = topics[world.shared :]
        self.own = {
            task: [rest[(at * world.own + number) % len(rest)] for number in range(world.own)]
            for at, task in enumerate(self.tasks)
        }
        self._questions = {
            (task, split): [self._question(task, split, number) for number in range(size)]
            for task in self.tasks
            for split, size in (("train", world.train), ("test", world.test))
        }
        self.by_mark = {mark(q.text): q for every in self._questions.values() for q in every}
        self.topics = {*self.shared, *(topic for own in self.own.values() for topic in own)}
        self.calls: Counter[str] = Counter()
        self._readings: dict[str, Reading] = {}
        self._pairs: dict[tuple[str, str], Reading] = {}
        self._broken: dict[str, frozenset[Question]] = {}

    @property
    def seed_system(self) -> str:
        """The system prompt to start from."""
        return phrases.SEED_SYSTEM

    def seed_user(self, task: str) -> str:
        """A task's user prompt to start from, with `{question}` at its end."""
        known = [phrases.skill_phrase(topic) for topic in self.own[task][: self.world.known]]
        return "\n".join([phrases.SEED_USER, *known, phrases.QUESTION])

    def train(self, task: str) -> list[Question]:
        """The questions that a search may select on and show."""
        return self._questions[task, "train"]

    def test(self, task: str) -> list[Question]:
        """Questions that no search sees."""
        return self._questions[task, "test"]

    def _question(self, task: str, split: str, number: int) -> Question:
        world = self.world
        random = Random(f"{world.name}/{self.seed}/{task}/{split}/{number}")
        kind = random.random()
        needs: list[str] = []
        if kind >= world.plain:
            size = random.randint(1, world.most)
            own = [] if kind < world.plain + world.common else [random.choice(self.own[task])]
            needs = [*own, *random.sample(self.shared, min(size - len(own), len(self.shared)))]
        revealed = tuple(topic for topic in needs if random.random() < world.revealed)
        said = " and ".join(sorted(revealed)) or "something unsaid"
        text = f"Case {task}-{split}-{number}: it turns on {said}. Which way?"
        possible, lucky = random.random() >= world.impossible, random.random() < world.lucky
        return Question(
            text, random.choice(LABELS), task, split, frozenset(needs), revealed, possible, lucky, random.random()
        )  # fmt: skip

    def reading(self, prompt: str) -> Reading:
        """What a prompt comes to."""
        found = self._readings.get(prompt)
        if found is None:
            plain = [phrases.plain(sentence) for sentence in phrases.sentences(prompt)]
            skills = {self._skill(sentence) for sentence in plain} - {None}
            harms = {phrases.HARM[sentence] for sentence in plain if sentence in phrases.HARM}
            found = Reading(frozenset(s for s in skills if s), frozenset(harms), len(plain))
            self._readings[prompt] = found
        return found

    def _skill(self, sentence: str) -> str | None:
        if sentence in phrases.SKILLS:
            return phrases.SKILLS[sentence]
        if sentence in phrases.NEUTRAL or sentence in phrases.HARM or len(sentence.split()) < 3 or "case " in sentence:
            return None
        # Whatever else people or programs write may happen to help.
        drawn = chance("meaning", self.world.name, self.seed, sentence)
        return self.shared[int(drawn / self.world.found * len(self.shared))] if drawn < self.world.found else None

    def right(self, system: str, user: str, question: Question) -> bool:
        """Whether a question is answered right under a system prompt and a user prompt (with `{question}` in place)."""
        world = self.world
        if world.null:
            return chance(self.seed, system, user, question.text) < 0.5
        pair = self._pairs.get((system, user))
        if pair is None:
            one, other = self.reading(system), self.reading(user)
            pair = Reading(one.skills | other.skills, one.harms | other.harms, one.size + other.size)
            self._pairs[system, user] = pair
        well = question.lucky or (question.possible and question.needs <= pair.skills)
        if well and pair.size > world.longest:
            well = question.crowded >= (pair.size - world.longest) * world.crowding
        if well and pair.harms:
            well = not any(question in self._breaks(harm) for harm in pair.harms)
        return well != (world.flips > 0 and chance(self.seed, system, user, question.text) < world.flips)

    def _breaks(self, harm: str) -> frozenset[Question]:
        if harm not in self._broken:
            found = (q for q in self.by_mark.values() if chance("harm", self.seed, harm, q.text) < self.world.harm)
            self._broken[harm] = frozenset(found)
        return self._broken[harm]

    def answer(self, system: str, user: str, question: Question) -> str:
        """The base model's reply; `user` holds `{question}` or the question itself."""
        user = user if phrases.QUESTION in user else user.replace(question.text, phrases.QUESTION)
        if self.right(system, user, question):
            return question.expected
        return LABELS[(LABELS.index(question.expected) + 1 + len(question.text) % 3) % 4]

    def score(self, system: str, user: str, questions: Sequence[Question]) -> float:
        """The share of questions that a pair of prompts answers right."""
        return sum(self.right(system, user, question) for question in questions) / len(questions)

    def rewrite(self, level: str, system: str, user: str | None, failing: Sequence[Question | str], random: Random) -> str:
        """What the optimizer makes of the prompt of a level ("system" or "user").

        It sees the system prompt and, at the user level, the user prompt. `failing` are the failing
        questions, as objects or as texts that hold a question's mark.
        """
        found = [q if isinstance(q, Question) else self.by_mark[mark(q)] for q in failing]
        text = system if level == "system" else user or ""
        carried = self.reading(system).skills | self.reading(user or "").skills
        lines = writer.mended(self.world, phrases.sentences(text), writer.wanted(found, carried), random)
        return writer.joined(lines, level)


def mark(text: str) -> str:
    """What names the last question within a text, which is the one that is asked, or an empty string."""
    found = writer.MARK.findall(text)
    return found[-1] if found else ""
