"""Composition: system prompts put together from whole sentences of a library, without a model; they read as one text.

A person's own system prompt stays in front; the default one, which says as little as the library's own first
sentences, may give way to one of these.
"""

from collections.abc import Mapping, Sequence
from random import Random

from ..prompts.renderer import DEFAULT_SYSTEM_PROMPT, lines_by_category
from ..store import prompts
from ..workspace.method import Proposal, Proposer, none_asked
from ..workspace.search import SearchWorkspace
from ..workspace.state import Job

MOST = 5
"""Sentences of a composed prompt, the person's own aside."""

Places = Mapping[str, str]
"""The sentence that stands at a place of the library, for the places that are taken."""


def library() -> dict[str, tuple[str, ...]]:
    """The sentences by place, in the order in which a prompt says them."""
    return lines_by_category("sentences")


def apart(prompt: str) -> tuple[str, dict[str, str]]:
    """What a person wrote of a system prompt, and the library's sentences in it by their places."""
    place_of = {sentence: place for place, sentences in library().items() for sentence in sentences}
    own, places = [], {}
    for line in prompt.split("\n"):
        place = place_of.get(line.strip())
        if place and place not in places:
            places[place] = line.strip()
        else:
            own.append(line)
    return "\n".join(own).strip(), places


def together(own: str, places: Places) -> str:
    """The text of a system prompt: what a person wrote, then the sentences in the library's order."""
    if own == DEFAULT_SYSTEM_PROMPT and "role" in places:
        own = ""
    return "\n".join([*([own] if own else []), *(places[place] for place in library() if place in places)])


def compositions(own: str, random: Random, size: int) -> list[str]:
    """So many different prompts of two to four sentences, drawn by chance."""
    open_places = [place for place in library() if place != "role" or own == DEFAULT_SYSTEM_PROMPT]
    found: dict[str, None] = {}
    for _ in range(100 * size):  # A library has an end.
        if len(found) == size:
            break
        chosen = random.sample(open_places, random.randint(2, 4))
        found[together(own, {place: random.choice(library()[place]) for place in chosen})] = None
    return list(found)


def exchanges(prompt: str, random: Random) -> list[str]:
    """Every prompt one sentence away: one put in, taken out or exchanged, in an order drawn by chance."""
    own, places = apart(prompt)
    found = []
    for place, sentences in library().items():
        if place == "role" and own not in ("", DEFAULT_SYSTEM_PROMPT):
            continue
        # Without the person's own words and without a role there would be nothing that says who speaks.
        if place in places and (own or place != "role"):
            found.append({at: one for at, one in places.items() if at != place})
        if place in places or len(places) < MOST:
            found += [{**places, place: sentence} for sentence in sentences if places.get(place) != sentence]
    texts = dict.fromkeys(together(own, one) for one in found)
    return [text for text in random.sample(list(texts), len(texts)) if text not in ("", prompt)]


async def composed(workspace: SearchWorkspace, job: Job) -> Proposal:
    """A composition of its own for each candidate of the round."""
    own, _ = apart(workspace.seed_system.text)
    step = workspace.step(job["round"])
    every = compositions(own, _random(workspace, job, "composed"), step.candidates)
    place = job["position"] % step.candidates
    if place >= len(every):
        return Proposal(job["system"], reason="the library has no further composition")
    return Proposal(job["system"], prompt=every[place])


async def exchanged(workspace: SearchWorkspace, job: Job) -> Proposal:
    """The parent with one sentence put in, taken out or exchanged; nothing that the run or its ancestors have tried."""
    [text] = await workspace.prompt_texts(job["system"])
    tried = await _tried(workspace, job)
    left = [one for one in exchanges(text, _random(workspace, job, "exchanged")) if one not in tried]
    place = job["position"] % workspace.step(job["round"]).candidates
    if place >= len(left):
        return Proposal(job["system"], reason="every exchange of a sentence has been tried")
    return Proposal(job["system"], prompt=left[place])


async def _tried(workspace: SearchWorkspace, job: Job) -> Sequence[str]:
    rows = await workspace.store.run(prompts.ancestry, workspace.run)
    ids = {row.prompt for row in rows if row.level == "system" and row.round < job["round"] and row.prompt}
    return list((await workspace.store.run(prompts.prompt_texts, sorted(ids))).values())


def _random(workspace: SearchWorkspace, job: Job, purpose: str) -> Random:
    # The candidates of a round share one order and take different places in it.
    return Random(f"{workspace.problem.seed}/{job['round']}/{purpose}")


COMPOSED = Proposer("composed", composed, requests=none_asked)
EXCHANGED = Proposer("exchanged", exchanged, requests=none_asked)
