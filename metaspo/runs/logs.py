"""What a served process logs: a line for each round, and warnings alone of the libraries below it."""

import logging
import os

LIBRARIES = ("httpx", "httpcore", "openai", "anthropic", "mcp", "langgraph_api", "langgraph_runtime", "langgraph_runtime_inmem")
"""The loggers that would write lines for every request, run and minute."""


def quiet_libraries() -> None:
    """Let the libraries log warnings alone, unless whoever runs the server has set a level: LOG_LEVEL, or a logger's own."""
    if os.environ.get("LOG_LEVEL"):
        return
    for name in LIBRARIES:
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.WARNING)
