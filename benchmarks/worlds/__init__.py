"""Simulated worlds to search in: which prompts answer which questions, and what an optimizer writes, without any model.

    sim = build("base", seed=0)
    sim.answer(sim.seed_system, sim.seed_user("parcels"), sim.train("parcels")[0])

Questions need skills. A prompt carries a skill by holding its instruction, such as "Check the numbers
twice before you answer."; system prompt and user prompt carry together. Some skills serve all tasks,
some one task. `World` (in `world.py`) says the rest.
"""

from .chat import base, optimizer, play, reply
from .sim import LABELS, Question, Sim
from .world import WORLDS, World

__all__ = ["LABELS", "WORLDS", "Question", "Sim", "World", "base", "build", "optimizer", "play", "reply"]


def build(world: str | World, seed: int) -> Sim:
    """A world, by name or as data, with a seed."""
    return Sim(WORLDS[world] if isinstance(world, str) else world, seed)
