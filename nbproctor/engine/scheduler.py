"""The scheduler of a cluster: a client of it, and what it is told."""

from __future__ import annotations

from typing import Any

import dask
from distributed import Client

from nbproctor.engine.servers import EngineError

CLOSE_SECONDS = 10
# Dask advises against large arguments; a student's files may be large.
dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GB"})


class _Closing(Client):
    """Dask leaves open what it could not start, and waits for it at the end."""

    def start(self, **options: Any) -> None:
        try:
            super().start(**options)  # type: ignore[no-untyped-call]
        except BaseException:
            self.close(timeout=CLOSE_SECONDS)  # type: ignore[no-untyped-call]
            raise


def connect(address: str, seconds: float) -> Any:
    """Return a client of a scheduler, by the keys that Dask's configuration names."""
    try:
        return _Closing(  # type: ignore[no-untyped-call]
            address, timeout=seconds, set_as_default=False, name="nbproctor"
        )
    except (OSError, RuntimeError, TypeError, ValueError) as error:
        raise EngineError(
            f"No Dask scheduler answers at {address} ({error}). Where it uses "
            "TLS, its address begins with tls://, and Dask's configuration here, there "
            "and on the workers (distributed.comm.tls) names certificates of one "
            "authority."
        ) from error


def allow_failures(most: int, dask_scheduler: Any) -> None:
    """Have the scheduler blame a submission for more ends of workers than `most`."""
    dask_scheduler.allowed_failures = most
