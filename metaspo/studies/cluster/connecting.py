"""Ray, imported late, and this process as a driver of a cluster: the one that Ray finds, or one that it starts here."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from ...compat import quiet_ray
from ...domain.errors import ConfigError, MissingExtraError
from ...domain.redaction import redact

ADDRESS = "RAY_ADDRESS"
"""The variable in which Ray itself looks for a cluster."""

CLIENT = (
    "a study's store is a file of the process that leads it, which a ray:// address has no part of: run the command on a "
    "machine of the cluster, or with 'ray job submit'"
)


def ray_module() -> Any:
    """Ray itself. Raises MissingExtraError where it is not installed."""
    try:
        return import_module("ray")
    except ImportError:
        raise MissingExtraError("a study on a cluster", "ray") from None


@contextmanager
def connected() -> Iterator[Any]:
    """Ray, with this process as a driver; a connection that the caller has already is used, and kept.

    Raises ConfigError where no cluster is at the address that the environment names. Used in a thread other than the
    main one, in which Ray would take SIGTERM for itself.
    """
    ray = ray_module()
    if ray.util.client.ray.is_connected():
        raise ConfigError(CLIENT)
    if ray.is_initialized():
        yield ray
        return
    with quiet_ray():
        _connect(ray)
        try:
            yield ray
        finally:
            ray.shutdown()


def _connect(ray: Any) -> None:
    address = os.environ.get(ADDRESS, "")
    if address.startswith("ray://"):
        raise ConfigError(CLIENT)
    # Nobody who starts a study has been asked whether Ray may report that to its makers.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ray.init(log_to_driver=False, logging_level=logging.ERROR, include_dashboard=False)
    except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
        where = f" at {redact(address)}" if address else ""
        why = str(error).strip().partition("\n")[0]
        raise ConfigError(
            f"no Ray cluster can be used{where}: {why}; start one with 'ray start --head', or unset {ADDRESS} to have one "
            "started on this machine"
        ) from None
