"""What looks wrong with an endpoint, from the calls that were paid."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

import metaspo

from ..helpers.endpoint import Endpoint, completion


@pytest.mark.parametrize("counts", [True, False])
def test_token_counts_that_never_change_are_remarked(
    counts: bool, make_task: Callable[..., Any], endpoint: Endpoint, store_path: Path
) -> None:
    def act(request: Any, body: Any, number: int) -> Any:
        told = completion("yes")
        told["usage"]["prompt_tokens"] = len(str(body)) // 4 if counts else 10
        return web.json_response(told)

    endpoint.act = act
    rows = [{"question": "long " * (20 * n + 1), "answer": "yes"} for n in range(40)]
    sizes = {"train_size": 2, "validation_size": 0, "test_size": 20}
    task = make_task("t", examples=rows)
    report = metaspo.optimize(tasks=[task], base=endpoint.spec(), method="fixed", store=store_path, **sizes).report
    assert [("10 tokens in each" in remark) for remark in report.remarks] == ([] if counts else [True])
