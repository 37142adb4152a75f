"""The worlds, as data."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class World:
    """What questions need and how well the optimizer writes; all but counts are probabilities.

    `shared` skills help on every task, `own` on one each; a seed user prompt carries `known` of the
    latter. `plain` questions need nothing, `common` only shared skills, the rest one of the task's own
    as well. `lucky` questions are answered right whatever they need, `impossible` ones never by skill.
    `flips` is how often an answer turns for no reason, by the hash of prompts and question.

    A harmful instruction breaks `harm` of the questions, each instruction beyond `longest` a further
    `crowding` of them. An instruction that no list knows carries a shared skill with `found`.

    The optimizer reads a question's skill with `revealed`; a rewrite mends up to `reach` skills, each
    with `strength`, adds a useless or a harmful instruction, and drops or garbles each old one.
    """

    name: str
    source: int = 4
    unseen: int = 3
    train: int = 50
    test: int = 100
    shared: int = 6
    own: int = 4
    known: int = 1
    most: int = 2
    plain: float = 0.1
    common: float = 0.5
    lucky: float = 0.2
    impossible: float = 0.0
    flips: float = 0.02
    harm: float = 0.25
    longest: int = 16
    crowding: float = 0.03
    found: float = 0.2
    revealed: float = 0.8
    strength: float = 0.7
    reach: int = 2
    useless: float = 0.3
    harmful: float = 0.15
    dropped: float = 0.04
    garbled: float = 0.04
    null: bool = False


BASE = World("base")

WORLDS = {
    world.name: world
    for world in (
        BASE,
        replace(BASE, name="fewer_shared", shared=3, own=6, common=0.3),
        replace(BASE, name="weak_optimizer", strength=0.4, reach=1, useless=0.5, harmful=0.25, dropped=0.08, garbled=0.08),
        replace(BASE, name="hard", shared=10, own=6, most=3, impossible=0.15, plain=0.05),
        replace(BASE, name="easy", shared=4, own=2, plain=0.3, lucky=0.3),
        replace(BASE, name="harmful", harm=0.4, useless=0.6, harmful=0.4, longest=9, crowding=0.06),
        replace(BASE, name="noisy", flips=0.08),
        replace(BASE, name="one_task", source=1),
        replace(BASE, name="twelve_tasks", source=12),
        replace(BASE, name="null", null=True),
    )
}
"""All worlds by name."""
