"""What calls took: counts in every form that endpoints tell them in, estimates where they tell none, budgets on both."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from langchain_core.messages import AIMessage

import metaspo
from metaspo import Task
from metaspo.domain.calls import Reply, Request
from metaspo.domain.errors import BudgetSpent, ConfigError
from metaspo.models.usage import Counts, as_openai, completed, message_usage, read_usage
from metaspo.store.database import open_store

from ..helpers.endpoint import Endpoint, completion, fail

MISSING = object()


def telling(usage: Any) -> Callable[..., Any]:
    """An endpoint that tells this usage, whatever it is."""

    def act(request: Any, body: Any, number: int) -> web.Response:
        reply = completion("no")
        reply["usage"] = usage
        if usage is MISSING:
            del reply["usage"]
        return web.json_response(reply)

    return act


@pytest.mark.parametrize(
    ("told", "counts"),
    [
        ({"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}, Counts(10, 2)),
        ({"input_tokens": 10, "output_tokens": 2}, Counts(10, 2)),
        ({"promptTokenCount": 10, "candidatesTokenCount": 2, "totalTokenCount": 12}, Counts(10, 2)),
        ({"prompt_tokens": 21, "completion_tokens": 2, "total_tokens": 81}, Counts(21, 60)),
        ({"prompt_tokens": 21, "completion_tokens": 2, "completion_tokens_details": {"reasoning_tokens": 58}}, Counts(21, 60)),
        ({"prompt_tokens": 21, "completion_tokens": 60, "completion_tokens_details": {"reasoning_tokens": 58}}, Counts(21, 60)),
        ({"prompt_tokens": 10, "completion_tokens": 2, "cost": 0.25}, Counts(10, 2, 0.25)),
        ({"prompt_tokens": 10.0, "completion_tokens": 2}, Counts(10, 2)),
        ({"prompt_tokens": "10", "completion_tokens": "2", "cost": "0.25"}, Counts(10, 2, 0.25)),
        ({"prompt_tokens": 10, "completion_tokens": 2, "cost": "-1"}, Counts(10, 2)),
        ({"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 10**30}, Counts(10, 2)),
    ],
)
def test_counts_under_every_name(told: Any, counts: Counts) -> None:
    assert read_usage(told) == counts
    if "cost" not in told:
        plain = {"input_tokens": counts.read, "output_tokens": 0, "total_tokens": counts.read + counts.written}
        assert message_usage(AIMessage("x", usage_metadata=plain)) == counts  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("told", "counts"),
    [
        # OpenAI, Groq, vLLM; OpenAI's newer form; LangChain
        ({"prompt_tokens": 10, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 8}}, Counts(10, 2, None, 8)),
        ({"input_tokens": 10, "output_tokens": 2, "input_tokens_details": {"cached_tokens": 8}}, Counts(10, 2, None, 8)),
        (
            {"input_tokens": 10, "output_tokens": 2, "total_tokens": 12, "input_token_details": {"cache_read": 8}},
            Counts(10, 2, None, 8),
        ),
        # Anthropic, whose input leaves out what was read from a cache, or put there
        (
            {"input_tokens": 2, "output_tokens": 2, "cache_read_input_tokens": 8, "cache_creation_input_tokens": 5},
            Counts(15, 2, None, 8),
        ),
        ({"inputTokens": 2, "outputTokens": 2, "totalTokens": 12, "cacheReadInputTokens": 8}, Counts(10, 2, None, 8)),
        # A router that tells Anthropic's figures beside a count that holds them
        ({"prompt_tokens": 10, "completion_tokens": 2, "cache_read_input_tokens": 8}, Counts(10, 2, None, 8)),
        ({"input_tokens": 10, "output_tokens": 2, "total_tokens": 12, "cache_read_input_tokens": 8}, Counts(10, 2, None, 8)),
        # DeepSeek, Gemini, Moonshot, and a count that cannot be
        (
            {"prompt_tokens": 10, "completion_tokens": 2, "prompt_cache_hit_tokens": 8, "prompt_cache_miss_tokens": 2},
            Counts(10, 2, None, 8),
        ),
        ({"promptTokenCount": 10, "candidatesTokenCount": 2, "cachedContentTokenCount": 8}, Counts(10, 2, None, 8)),
        ({"prompt_tokens": 10, "completion_tokens": 2, "cached_tokens": 8}, Counts(10, 2, None, 8)),
        ({"prompt_tokens": 10, "completion_tokens": 2, "cached_tokens": 80}, Counts(10, 2, None, 10)),
        ({"prompt_tokens": 10, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": None}}, Counts(10, 2)),
    ],
)
def test_cached_tokens_under_every_name(told: Any, counts: Counts) -> None:
    assert read_usage(told) == counts
    assert read_usage(as_openai(told)) == counts


@pytest.mark.parametrize(
    ("told", "cost"),
    [(0, 0.0), ("0.00", 0.0), (0.5, 0.5), ({"total_cost": 0}, 0.0), (None, None), ("free", None), (False, None), (-1, None)],
)
def test_a_cost_of_nothing_is_told_as_well(told: Any, cost: float | None) -> None:
    assert read_usage({"prompt_tokens": 10, "cost": told}).cost == cost


BROKEN = [
    MISSING, None, [], [1], "many", 7, {}, {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    {"prompt_tokens": "ten", "completion_tokens": None}, {"prompt_tokens": -5, "completion_tokens": -1},
    {"prompt_tokens": 1.5, "completion_tokens": 0.5}, {"prompt_tokens": 10**30, "completion_tokens": 10**30},
    {"prompt_tokens": [3], "completion_tokens": {"a": 1}, "completion_tokens_details": [1]},
    {"prompt_tokens": True, "completion_tokens_details": {"reasoning_tokens": "x"}, "cost": "free"},
]  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("told", BROKEN, ids=lambda told: "missing" if told is MISSING else repr(told)[:40])
def test_without_counts_tokens_are_estimated_marked_and_budgeted(
    told: Any, endpoint: Endpoint, make_task: Callable[..., Task], store_path: Path
) -> None:
    endpoint.act = telling(told)
    events: list[Any] = []
    result = metaspo.optimize(
        tasks=[make_task("a")], base=endpoint.spec(), method="fixed", preset="quick", store=store_path,
        budget={"input_tokens": 100}, listener=events.append,
    )  # fmt: skip
    assert isinstance(result.stopped, BudgetSpent)
    usage = result.report.usage
    assert 100 <= usage.input_tokens < 1000 and usage.estimated == usage.total_calls == len(endpoint.seen)
    notes = [event["text"] for event in events if event["event"] == "noted"]
    assert len(notes) == 1 and "estimated" in notes[0] and events[0]["event"] in ("round_opened", "noted")
    with open_store(store_path) as store:
        rows = store.db.execute("SELECT input_tokens, output_tokens, estimated FROM calls").fetchall()
    assert all(read > 10 and written == 1 and estimated == 1 for read, written, estimated in rows)


@pytest.mark.parametrize("told", BROKEN[1:], ids=lambda told: repr(told)[:40])
def test_a_message_with_a_broken_block_never_raises(told: Any) -> None:
    message = AIMessage("x", response_metadata={"token_usage": told})
    assert message_usage(message) == Counts()
    message.usage_metadata = told
    assert message_usage(message) == Counts()


def test_cached_tokens_of_messages_are_counted_once() -> None:
    """LangChain adds up what Anthropic leaves apart, and hands on what Anthropic said beside it."""
    raw = {"input_tokens": 2, "output_tokens": 2, "cache_read_input_tokens": 8, "cache_creation_input_tokens": 5}
    summed: Any = {
        "input_tokens": 15, "output_tokens": 2, "total_tokens": 17,
        "input_token_details": {"cache_read": 8, "cache_creation": 5},
    }  # fmt: skip
    for message in (
        AIMessage("x", usage_metadata=summed, response_metadata={"usage": raw}), AIMessage("x", usage_metadata=summed),
        AIMessage("x", response_metadata={"usage": raw}),
    ):  # fmt: skip
        assert message_usage(message) == Counts(15, 2, None, 8)


def test_a_reply_that_was_cut_off_counts_what_it_was_allowed() -> None:
    request = Request((("user", "a" * 40),), 50, 0.0)
    assert completed(request, Reply("", "length")) == Reply("", "length", 10, 50, estimated=True)
    assert completed(request, Reply("abcde")) == Reply("abcde", "stop", 10, 2, estimated=True)
    assert completed(request, Reply("ab", "stop", 3, 1)) == Reply("ab", "stop", 3, 1)


def test_a_cost_without_prices_is_refused_before_any_call(make_task: Callable[..., Task], store_path: Path) -> None:
    model = "scripted:tests.helpers.scripts:always_wrong"
    with pytest.raises(ConfigError, match=r"can never be reached: scripted:\S+ costs 0; set input_price"):
        metaspo.optimize(tasks=[make_task("a")], base=model, optimizer=model, store=store_path, budget={"cost": 1})


def test_a_cost_that_the_endpoint_does_not_tell_either_ends_at_the_first_call(
    endpoint: Endpoint, make_task: Callable[..., Task], store_path: Path
) -> None:
    settings: dict[str, Any] = {
        "tasks": [make_task("a")],
        "base": endpoint.spec(),
        "method": "fixed",
        "preset": "quick",
        "store": store_path,
    }
    with pytest.raises(ConfigError, match="the endpoint does not say what a call costs"):
        metaspo.optimize(**settings, budget={"cost": 1})
    assert len(endpoint.seen) == 1


def test_a_router_s_cost_stands_and_is_budgeted(endpoint: Endpoint, make_task: Callable[..., Task], store_path: Path) -> None:
    endpoint.act = telling({"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12, "cost": 0.25})
    for prices in ({}, {"input_price": 1e5, "output_price": 0}):
        result = metaspo.optimize(
            tasks=[make_task("a")], base=endpoint.spec(concurrency=1, **prices), method="fixed", preset="quick",
            store=store_path.with_name(f"{len(prices)}.db"), budget={"cost": 1},
        )  # fmt: skip
        assert isinstance(result.stopped, BudgetSpent)
        assert (
            result.report.usage.cost == pytest.approx(0.25 * result.report.usage.total_calls)
            and not result.report.usage.estimated
        )
        assert result.report.usage.total_calls == 4


def test_a_router_whose_first_request_is_refused_is_believed_at_the_next(
    endpoint: Endpoint, make_task: Callable[..., Task], store_path: Path
) -> None:
    tells = telling({"prompt_tokens": 10, "completion_tokens": 2, "cost": 0.25})
    endpoint.act = lambda request, body, number: (
        fail(400, code="content_filter") if number == 1 else tells(request, body, number)
    )
    result = metaspo.optimize(
        tasks=[make_task("a")], base=endpoint.spec(concurrency=1), method="fixed", preset="quick", store=store_path,
        budget={"cost": 1},
    )  # fmt: skip
    assert isinstance(result.stopped, BudgetSpent) and (result.report.usage.cost, result.report.usage.unpriced) == (1.0, 0)


def test_a_router_that_says_0_cannot_end_a_budget(endpoint: Endpoint, make_task: Callable[..., Task], store_path: Path) -> None:
    endpoint.act = telling({"prompt_tokens": 10, "completion_tokens": 2, "cost": 0})
    with pytest.raises(ConfigError, match="the endpoint says that a call costs 0"):
        metaspo.optimize(
            tasks=[make_task("a")], base=endpoint.spec(), method="fixed", preset="quick", store=store_path, budget={"cost": 1}
        )


@pytest.mark.parametrize("budget", [{"cost": float("inf")}, {"minutes": float("inf")}, {"cost": float("nan")}])
def test_a_limit_without_end_is_none(budget: dict[str, float], make_task: Callable[..., Task], store_path: Path) -> None:
    with pytest.raises(ConfigError, match="finite"):
        metaspo.optimize(tasks=[make_task("a")], store=store_path, budget=budget)
