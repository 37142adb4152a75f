"""What a served process logs: its own lines, such as one for each round, and of everything else warnings alone."""

import logging
import os


def quiet_libraries() -> None:
    """Let all but metaspo log warnings alone: a library would write a line for every request.

    Whoever runs the server has the last word: with LOG_LEVEL for all, or with a level for a logger.
    """
    if os.environ.get("LOG_LEVEL"):
        return
    logging.getLogger().setLevel(logging.WARNING)
    own = logging.getLogger("metaspo")
    if own.level == logging.NOTSET:
        own.setLevel(logging.INFO)
