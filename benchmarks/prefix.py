"""How much of what is sent an endpoint finds in its prefix cache, by the order of the requests.

    python benchmarks/prefix.py                                                    SmolLM2 behind llama.cpp's server
    python benchmarks/prefix.py --base-url http://127.0.0.1:8000/v1 --model NAME   vLLM, or any other server

Every (system prompt, user prompt) pair is asked every question: shuffled, as without any order;
pair by pair but with the question before the instructions; and pair by pair with the question last, as
a run does it. The rate is from vLLM's /metrics where the endpoint has them, else from the
`cached_tokens` of each reply's usage. The prompts of every variant are its own, so none warms the next.
"""

import argparse
import asyncio
import re
import time
from random import Random
from urllib.request import urlopen

from openai import AsyncOpenAI, DefaultAioHttpClient

from metaspo import ModelSpec
from metaspo.models.local import LocalModel

RULES = (
    "Read the whole message before you decide. Weigh what the writer says about the goods against what they say about the "
    "service, and do not be misled by a polite tone. A complaint in kind words is still a complaint, and praise with one "
    "small reservation is still praise. Where both sides are even, go by the last sentence. Answer with one word: positive "
    "or negative."
)
COLOURS = ("red", "blue", "green", "grey", "white", "brown", "black", "yellow", "golden", "silver", "purple", "orange")
THINGS = ("lamp", "chair", "kettle", "jacket", "rug", "clock", "mirror", "bag")
VERDICTS = ("came late and scratched", "is better than I had hoped", "broke in a week", "was worth every penny")

Messages = list[dict[str, str]]


def questions(count: int) -> list[str]:
    """That many different short messages."""
    return [f"The {COLOURS[n % 12]} {THINGS[n % 8]} {VERDICTS[n % 4]}, order {n}." for n in range(count)]


def requests(variant: str, pairs: int, count: int, last: bool) -> list[Messages]:
    """Every pair with every question, pair by pair."""
    made = []
    for pair in range(pairs):
        system = f"{variant}, {pair // 2}: you sort the letters that customers write to a shop."
        for question in questions(count):
            parts = [f"Edition {pair}. {RULES}", question]
            user = "\n\n".join(parts if last else parts[::-1])
            made.append([{"role": "system", "content": system}, {"role": "user", "content": user}])
    return made


async def send(client: AsyncOpenAI, model: str, batch: list[Messages], in_flight: int) -> tuple[int, int]:
    """Send the requests in their order; how many prompt tokens they had, and how many of them were cached."""
    slots = asyncio.Semaphore(in_flight)

    async def one(messages: Messages) -> tuple[int, int]:
        async with slots:
            reply = await client.chat.completions.create(model=model, messages=messages, max_tokens=1, temperature=0)
        details = reply.usage.prompt_tokens_details
        return reply.usage.prompt_tokens, (details.cached_tokens or 0) if details else 0

    used = await asyncio.gather(*(one(messages) for messages in batch))
    return sum(tokens for tokens, _ in used), sum(cached for _, cached in used)


def vllm_counters(base_url: str) -> tuple[float, float] | None:
    """The counters that vLLM keeps of tokens looked up in its prefix cache and found there, or None."""
    try:
        with urlopen(base_url.removesuffix("/v1") + "/metrics", timeout=10) as reply:
            text = reply.read().decode()
    except OSError:
        return None
    found = [re.findall(rf"^vllm:prefix_cache_{name}(?:_total)?(?:{{.*}})? (\S+)$", text, re.M) for name in ("queries", "hits")]
    return (sum(map(float, found[0])), sum(map(float, found[1]))) if all(found) else None


async def measure(base_url: str, model: str, pairs: int, count: int, in_flight: int) -> None:
    """Print a line per variant."""
    http = DefaultAioHttpClient(timeout=600)
    client = AsyncOpenAI(base_url=base_url, api_key="none", http_client=http, max_retries=0)
    variants = [
        ("shuffled", requests("Mixed", pairs, count, last=True)),
        ("pair by pair, question first", requests("Early", pairs, count, last=False)),
        ("pair by pair, question last", requests("Late", pairs, count, last=True)),
    ]
    Random(0).shuffle(variants[0][1])
    await send(client, model, requests("Warm", 1, 2, last=True), 1)
    print(f"{pairs} pairs x {count} questions, {in_flight} in flight")
    for name, batch in variants:
        before, started = await asyncio.to_thread(vllm_counters, base_url), time.perf_counter()
        tokens, cached = await send(client, model, batch, in_flight)
        seconds, after = time.perf_counter() - started, await asyncio.to_thread(vllm_counters, base_url)
        source = "usage"
        if before and after:
            source, tokens, cached = "/metrics", round(after[0] - before[0]), round(after[1] - before[1])
        print(f"{name:30} {tokens:7,} prompt tokens, {cached / tokens:6.1%} cached ({source}), {seconds:6.1f} s", flush=True)
    await http.aclose()


async def local(pairs: int, count: int, in_flight: int) -> None:
    """Measure llama.cpp's server with SmolLM2, as `local:smollm2` starts it."""
    model = await LocalModel.start(ModelSpec.parse("local:smollm2"))
    await measure(model.base_url, "smollm2", pairs, count, in_flight)
    await model.close()


def main() -> None:
    """Parse, measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base-url", help="an OpenAI-compatible server; SmolLM2 behind llama.cpp if none")
    parser.add_argument("--model", default="m", help="its name at the server")
    parser.add_argument("--pairs", type=int, default=8)
    parser.add_argument("--questions", type=int, default=12)
    parser.add_argument("--in-flight", type=int, default=4)
    o = parser.parse_args()
    sizes = o.pairs, o.questions, o.in_flight
    asyncio.run(measure(o.base_url.rstrip("/"), o.model, *sizes) if o.base_url else local(*sizes))


if __name__ == "__main__":
    main()
