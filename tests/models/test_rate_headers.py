"""The headers in which endpoints tell how much is left of their limits."""

import time

import pytest

from metaspo.models.rate_headers import limits_told


def told(**headers: str) -> list[tuple[str, float, float | None, float | None]]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return [(left.kind, left.remaining, left.reset, left.limit) for left in limits_told(named)]


@pytest.mark.parametrize(
    ("reset", "seconds"),
    [("1s", 1), ("6m0s", 360), ("20ms", 0.02), ("1h2m3.5s", 3723.5), ("7.66s", 7.66), ("12", 12), ("0", 0), ("1d", 86_400)],
)
def test_durations_as_openai_and_groq_write_them(reset: str, seconds: float) -> None:
    [(kind, remaining, found, limit)] = told(
        x_ratelimit_remaining_requests="3", x_ratelimit_reset_requests=reset, x_ratelimit_limit_requests="60"
    )
    assert (kind, remaining, limit) == ("requests", 3, 60) and found == pytest.approx(seconds)


def test_tokens_and_requests_are_two_limits() -> None:
    found = told(x_ratelimit_remaining_requests="3", x_ratelimit_remaining_tokens="0", x_ratelimit_reset_tokens="2s")
    assert found == [("requests", 3, None, None), ("tokens", 0, 2, None)]


def test_anthropic_s_dates_are_by_the_clock_of_the_endpoint() -> None:
    found = told(
        anthropic_ratelimit_requests_limit="50", anthropic_ratelimit_requests_remaining="0",
        anthropic_ratelimit_requests_reset="2031-05-01T10:00:30Z", anthropic_ratelimit_output_tokens_remaining="80",
        anthropic_ratelimit_output_tokens_reset="2031-05-01T12:00:10+02:00", date="Thu, 01 May 2031 10:00:00 GMT",
    )  # fmt: skip
    assert found == [("requests", 0, 30, 50), ("output-tokens", 80, 10, None)]


def test_seconds_since_1970_and_the_drafts_of_the_ietf() -> None:
    [(_, _, seconds, _)] = told(x_ratelimit_remaining="0", x_ratelimit_reset=str(int((time.time() + 100) * 1000)))
    assert seconds is not None and 90 < seconds <= 100.001
    assert told(ratelimit_remaining="4", ratelimit_limit="10, 10;w=60", ratelimit_reset="7") == [("requests", 4, 7, 10)]
    assert told(ratelimit='"default";r=5;t=9') == [("requests", 5, 9, None)]
    assert told(ratelimit="limit=100, remaining=50, reset=8") == [("requests", 50, 8, 100)]


@pytest.mark.parametrize("text", ["", "soon", "-1", "nan", "inf", "1e9", "٣", "9" * 40, "unlimited", "1 2", "\x00"])
def test_what_cannot_be_read_is_not_there(text: str) -> None:
    assert told(x_ratelimit_remaining_requests=text, x_ratelimit_reset_requests="1s") == []
    assert told(x_ratelimit_remaining_requests="5", x_ratelimit_reset_requests=text) == [("requests", 5, None, None)]


def test_a_limit_of_nothing_is_none() -> None:
    assert told(x_ratelimit_remaining_requests="0", x_ratelimit_limit_requests="0", x_ratelimit_reset_requests="60s") == []
