"""Scripted models for tests: `scripted:tests.helpers.scripts:NAME`."""

import asyncio
import hashlib
import os

from metaspo.domain.calls import Request


def _number(request: Request, size: int) -> int:
    text = "\0".join(content for _, content in request.messages) + request.sample
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % size


def _is_proposal(request: Request) -> bool:
    return "between <prompt> and </prompt>" in request.messages[-1][1]


def _propose(request: Request, number: int) -> str:
    end = "\n{question}" if "{question} exactly once" in request.messages[-1][1] else ""
    return f"Well.\n<prompt>Prompt number {number}.{end}</prompt>"


def always_wrong(request: Request) -> str:
    """As base it never answers right, as optimizer it never repeats itself."""
    if _is_proposal(request):
        return _propose(request, _number(request, 10**12))
    return "an analysis" if "BEGIN DATA" in request.messages[-1][1] else "wrong"


def uneven(request: Request) -> str:
    """As base it is right or wrong by the hash of its prompts and the question; deterministic."""
    if _is_proposal(request):
        return _propose(request, _number(request, 1000))
    if "BEGIN DATA" in request.messages[-1][1]:
        return f"analysis {_number(request, 10**6)}"
    return "yes" if _number(request, 2) else "no"


def dies(request: Request) -> str:
    """Takes its process along."""
    os._exit(9)


def always_yes(request: Request) -> str:
    """As base it says yes; as optimizer it is like `uneven`."""
    return "yes" if not _is_proposal(request) and "BEGIN DATA" not in request.messages[-1][1] else uneven(request)


def loses_placeholder(request: Request) -> str:
    """As optimizer it forgets the tag at first, then the placeholder; as base it is always wrong."""
    if _is_proposal(request):
        attempt = request.sample.rsplit(" ", 1)[-1]
        return {"0": "Here is a prompt: do better.", "1": "<prompt>Do better.</prompt>"}.get(
            attempt, "<prompt>Do better. {question}</prompt>"
        )
    return always_wrong(request)


def grader(request: Request) -> str:
    """A judge that is never quite satisfied."""
    return "Almost. <grade>4</grade>"


def half_grader(request: Request) -> str:
    """A judge that has nothing to say of half of what it is shown."""
    return "Well. <grade>4</grade>" if _number(request, 2) else "I would rather not say."


def talks_only(request: Request) -> str:
    """An optimizer that never writes a prompt."""
    return "I would rather not."


LOCKED = ("Never name a colleague.", "Answer in English.")
"""What `careless` loses in every way there is."""


def careless(request: Request) -> str:
    """As optimizer it mishandles the two locked parts of `LOCKED`, otherwise each time; as base it is like `uneven`."""
    if not _is_proposal(request) or "{question} exactly once" in request.messages[-1][1]:
        return uneven(request)
    number = _number(request, 10**6)
    told = [
        f"Work calmly {number}.",  # dropped
        f"[[locked 2]] Work calmly {number}. [[locked 1]]",  # reordered
        f"Do not name colleagues, ever. Work calmly {number}. Always answer in English.",  # rephrased
        f"[[locked 1]] [[locked 1]] Work calmly {number}. [[locked 2]]",  # a mark twice
        f"[[locked 1]] Work {number}. {LOCKED[0]} [[locked 2]]",  # a part beside its mark
        f"{LOCKED[0]} Work calmly {number}. {LOCKED[1][:-5]}",  # truncated
        f"[[locked 1]] Work calmly {number}. [[locked 2]]s",  # run together with the next word: "English.s" is not
        f"[[locked 3]] Work {number}. [[locked 1]] [[locked 2]]",  # one that there is not
        f"<locked>{LOCKED[0]}</locked> Work {number}. [[locked 2]]",  # the person's own marks
        f"[[locked 1]] Work calmly {number}. [[locked 2]]",  # as it was asked for
        f"{LOCKED[0]} Work calmly {number}. {LOCKED[1]}",  # without marks, but whole
    ]
    return f"<prompt>{told[number % len(told)]}</prompt>"


def keeps_lock(request: Request) -> str:
    """Like `uneven`, but as optimizer it puts the one locked part in its place."""
    if _is_proposal(request) and "[[locked 1]]" in request.messages[-1][1]:
        return f"<prompt>A [[locked 1]] mind number {_number(request, 1000)}.</prompt>"
    return uneven(request)


def finds_the_tool(request: Request) -> str:
    """As optimizer it tells an agent, sooner or later, to use its tool."""
    if _is_proposal(request) and _number(request, 2):
        return "<prompt>Use the tool.</prompt>"
    return uneven(request)


async def slow(request: Request) -> str:
    """`uneven`, taking its time."""
    await asyncio.sleep(0.03)
    return uneven(request)


def analyst(request: Request) -> str:
    """Only analyses: it has no prompt to give."""
    return f"As far as the analyst found this, reason {_number(request, 1000)} is why; the analyst found this."


def writes_markup(request: Request) -> str:
    """Like `uneven`, but every prompt that it writes is full of markup; now and then one that cannot be used."""
    if not _is_proposal(request):
        return uneven(request)
    number, written = _number(request, 1000), _propose(request, _number(request, 1000))
    if number % 5 == 0:
        return "<prompt>{answer} <script>window.sprung=1</script></prompt>"
    return written.replace(
        "Prompt", "</pre></details><script>window.sprung=1</script><img src=x onerror=window.sprung=1> Prompt"
    )


def drifting(request: Request) -> str:
    """Like `uneven`, but what it says also hangs on the machine, as at an endpoint that answers differently each time."""
    machine = int(os.environ.get("METASPO_TEST_MACHINE", "0"))
    if _is_proposal(request):
        return _propose(request, _number(request, 1000) + 1000 * machine)
    if "BEGIN DATA" in request.messages[-1][1]:
        return f"analysis {_number(request, 10**6)} of {machine}"
    return "yes" if _number(request, 97) * (machine + 1) % 97 % 2 else "no"


def drifting_grader(request: Request) -> str:
    """A judge whose grades hang on the machine."""
    machine = int(os.environ.get("METASPO_TEST_MACHINE", "0"))
    return f"So says {machine}. <grade>{1 + (_number(request, 97) * (machine + 1)) % 5}</grade>"
