"""Ray, imported late, and this process as a driver of a cluster: the one that Ray finds, or one that it starts here."""

import logging
import os
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from ...compat import quiet_ray, ray_address, show_ray_token
from ...domain.errors import ConfigError, MissingExtraError
from ...domain.redaction import redact

ADDRESS = "RAY_ADDRESS"
"""The variable in which Ray itself looks for a cluster."""

PATIENCE = 10.0
"""Seconds within which a cluster that is there takes a connection."""

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
    where = None
    if address:
        if why := _silent(address):
            raise _no_cluster(address, why)
    elif (remembered := ray_address()) and _silent(remembered):
        where = "local"  # One whose machine or processes were killed is still written down.
    show_ray_token()
    # Nobody who starts a study has been asked whether Ray may report that to its makers.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ray.init(where, log_to_driver=False, logging_level=logging.ERROR, include_dashboard=False)
    except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
        raise _no_cluster(address, str(error).strip().partition("\n")[0]) from None


def _silent(address: str) -> str | None:
    """Why nothing listens at an address, where nothing does: Ray itself would wait there for minutes, deaf to Ctrl-C."""
    host, colon, port = address.rpartition(":")
    if colon and port.isdigit():
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=PATIENCE).close()
        except (OSError, OverflowError) as error:
            return str(error)
    return None


def _no_cluster(address: str, why: str) -> ConfigError:
    where = f" at {redact(address)}" if address else ""
    return ConfigError(
        f"no Ray cluster can be used{where}: {why}; start one with 'ray start --head', or unset {ADDRESS} to have one started "
        "on this machine; to one that asks for a token, RAY_AUTH_MODE=token and RAY_AUTH_TOKEN show it"
    )
