"""How the simulated optimizer writes: it mends, and it spoils."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING

from . import phrases
from .world import World

if TYPE_CHECKING:
    from .sim import Question

MARK = re.compile(r"Case [a-z]+-[a-z]+-\d+")


def wanted(failing: "Sequence[Question]", carried: frozenset[str]) -> Counter[str]:
    """The skills that failing questions reveal and the shown prompts lack, weighted by questions and by tasks squared."""
    questions: Counter[str] = Counter()
    tasks: dict[str, set[str]] = defaultdict(set)
    for question in failing:
        for topic in question.revealed:
            questions[topic] += topic not in carried
            tasks[topic].add(question.task)
    # What fails on several tasks catches the eye when something for all of them is asked for.
    return Counter({topic: count * len(tasks[topic]) ** 2 for topic, count in questions.items() if count})


def mended(world: World, lines: Sequence[str], skills: Counter[str], random: Random) -> list[str]:
    """A prompt's lines rewritten: some lost, some skills mended, at times something useless or harmful."""
    made = careless(world, lines, random)
    skills = Counter(skills)
    for _ in range(world.reach):
        if skills and random.random() < world.strength:
            topics = sorted(skills)
            [topic] = random.choices(topics, [skills[name] for name in topics])
            del skills[topic]
            made.append(phrases.skill_phrase(topic))
    return made + idle(world, random)


def careless(world: World, lines: Sequence[str], random: Random) -> list[str]:
    """The old lines, but for those that are dropped or garbled. The first, which says who or what, is kept."""
    made = list(lines[:1])
    for line in lines[1:]:
        luck = random.random()
        if luck >= world.dropped:
            made.append(phrases.garbled(line) if luck < world.dropped + world.garbled else line)
    return list(dict.fromkeys(made))


def idle(world: World, random: Random) -> list[str]:
    """Instructions that come along without any reason."""
    extra = [random.choice(phrases.USELESS)] if random.random() < world.useless else []
    return [*extra, random.choice(phrases.HARMFUL)] if random.random() < world.harmful else extra


def induced(world: World, seen: "Sequence[Question]", level: str, random: Random) -> list[str]:
    """A prompt written from labelled examples alone: half as likely to catch each skill as a correction is."""
    skills = wanted(seen, frozenset())
    common = [topic for topic, _ in skills.most_common(4)]
    first = phrases.SEED_SYSTEM if level == "system" else phrases.SEED_USER
    caught = [phrases.skill_phrase(topic) for topic in common if random.random() < world.strength * 0.75]
    return [first, *caught, *idle(world, random)]


def bred(world: World, parents: Sequence[Sequence[str]], guess: str, random: Random) -> list[str]:
    """Good prompts crossed, then mutated by a guess at some skill."""
    lines = [line for at, parent in enumerate(parents) for line in parent if at == 0 or random.random() < 0.7]
    chance = world.strength / 2
    return careless(world, lines, random) + ([guess] if random.random() < chance else []) + idle(world, random)


def reworded(world: World, prompt: str, random: Random) -> str:
    """The same prompt in other words, now and then with something lost."""
    level = "user" if phrases.QUESTION in prompt else "system"
    lines = careless(world, phrases.sentences(prompt), random)
    return joined([f"Please {line[:1].lower()}{line[1:]}" if random.random() < 0.5 else line for line in lines], level)


def joined(lines: Sequence[str], level: str) -> str:
    """Lines as a prompt of a level."""
    return "\n".join([*dict.fromkeys(lines), *([phrases.QUESTION] if level == "user" else [])])
