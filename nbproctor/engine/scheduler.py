"""A Dask scheduler: what it is asked, and what to do where there is none."""

from __future__ import annotations

import contextlib
import time
import warnings
from asyncio import CancelledError  # not an Exception; Dask may raise it
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nbproctor.engine import remote
from nbproctor.engine.servers import EngineError
from nbproctor.errors import NbproctorError

CONNECT_SECONDS = 10
ANSWER_SECONDS = 120.0  # a worker that is asked may be dying
START_SECONDS = 2.0  # for a worker's fork server, before others are looked after


class PartedError(NbproctorError):
    """The scheduler has gone, and with it all that it was given."""


class Scheduler:
    """The connection to a Dask scheduler, made anew when that has been away.

    Parameters
    ----------
    address : str
        As of `cluster.Cluster`, which also says what is raised.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._client = _connect(address)
        self._warming: dict[tuple[str, str], Any] = {}  # worker and assignment

    def workers(self) -> tuple[str, Mapping[str, int]]:
        """Return the scheduler's own id, and the threads of each worker by address.

        The id is empty as long as the scheduler is away.

        Raises
        ------
        EngineError, OSError
            It does not answer, still or just now.
        """
        if self._client.status == "closed":  # it tries for some seconds alone
            self._client = _connect(self._address)
        if self._client.status != "running":
            return "", {}
        told = self._client.scheduler_info(n_workers=-1)
        workers = {a: each["nthreads"] for a, each in told["workers"].items()}
        if len(workers) < told["n_workers"]:  # without an answer, Dask tells of none
            raise OSError("it does not tell its workers")
        for asked in [each for each in self._warming if each[0] not in workers]:
            del self._warming[asked]
        return told["id"], workers

    def ask(
        self, assignment: remote.Assignment, addresses: Iterable[str]
    ) -> dict[str, str]:
        """Send an assignment to workers; return why each refuses it, or nothing.

        A worker that is busy is not in what is returned: ask it again.
        """
        key = assignment.key
        asked = {*addresses}
        new = [each for each in asked if (each, key) not in self._warming]
        said: dict[str, str] = {}
        if new:
            received = self._client.run(
                remote.receive,
                assignment,
                workers=new,
                on_error="return",
                callback_timeout=ANSWER_SECONDS,
            )
            said = {address: _words(answer) for address, answer in received.items()}
        for address in [each for each, why in said.items() if not why]:
            del said[address]
            self._warming[address, key] = self._client.submit(
                remote.warm_up, key, workers=[address], pure=False, priority=1
            )
        until = time.monotonic() + START_SECONDS
        for address, of in [*self._warming]:
            if of != key or address not in asked:
                continue
            left = max(until - time.monotonic(), 0.01)
            try:
                said[address] = self._warming[address, key].result(timeout=left)
            except TimeoutError:  # it has something else to do
                continue
            except (Exception, CancelledError) as error:  # it has died since
                said[address] = _words(error)
            del self._warming[address, key]
        return said

    def send(self, address: str, key: str, submitted: Sequence[bytes]) -> Any:
        """Let a worker execute submissions; return Dask's future of the answers."""
        with warnings.catch_warnings():
            # Dask advises against large arguments; a student's files may be large.
            warnings.simplefilter("ignore", UserWarning)
            return self._client.submit(
                remote.run, key, [*submitted], workers=[address], pure=False
            )

    def answers(self, future: Any) -> list[remote.Answer]:
        """Fetch what a worker answers.

        Raises
        ------
        PartedError
            The scheduler has gone: the worker is not at fault.
        RuntimeError
            The worker gave no answers; the message says why.
        """
        try:
            answers: list[remote.Answer] | None = future.result(timeout=ANSWER_SECONDS)
        except (Exception, CancelledError) as error:
            reason = getattr(error, "reason", "")
            if (
                reason == "scheduler-connection-lost"
                or self._client.status != "running"
            ):
                raise PartedError from error
            raise RuntimeError(repr(error)) from error
        if answers is None:
            raise RuntimeError("it has lost what it was given")
        return answers

    def cancel(self, futures: Sequence[Any]) -> None:
        """Give up what a worker was sent, or the next of its address gets it."""
        self._client.cancel(futures, force=True)

    def close(self, keys: Sequence[str]) -> None:
        """Let all workers forget assignments, and part from the scheduler."""
        with contextlib.suppress(Exception):  # it may have gone
            self._client.run(
                remote.forget, [*keys], on_error="ignore", callback_timeout=5
            )
        with contextlib.suppress(Exception):
            self._client.close(timeout=5)


def _connect(address: str) -> Any:
    """Return a client of a scheduler, by the keys that Dask's configuration names.

    Raises
    ------
    EngineError
        `distributed` is not installed, or no scheduler answers.
    """
    try:
        import distributed
    except ImportError as error:
        raise EngineError(
            "Grading on a cluster needs the package distributed, in the version "
            "that requirements.lock names: pip install 'nbproctor[cluster]'."
        ) from error

    client: Any = distributed.Client

    class Closing(client):  # type: ignore[misc]
        """Dask leaves open what it could not start, and waits for it at the end."""

        def start(self, **options: Any) -> None:
            try:
                super().start(**options)
            except BaseException:
                self.close(timeout=CONNECT_SECONDS)
                raise

    try:
        return Closing(
            address, timeout=CONNECT_SECONDS, set_as_default=False, name="nbproctor"
        )
    except (OSError, RuntimeError, TypeError, ValueError) as error:
        raise EngineError(
            f"No Dask scheduler answers at {address} ({error}). {_advice(address)}"
        ) from error


def _advice(address: str) -> str:
    """Return what to do, by the address and Dask's configuration of this computer."""
    from distributed import Security

    security = Security()
    keys = security.get_tls_config_for_role("client")
    missing = [
        name
        for name in (keys["ca_file"], keys["cert"], keys["key"])
        if name and "\n" not in name and not Path(name).is_file()
    ]
    if not address.startswith("tls://"):
        if security.require_encryption:
            return (
                "Dask's configuration of this computer requires encryption: write "
                "tls:// before the scheduler's address."
            )
        return "If it uses TLS, its address begins with tls://."
    if missing:
        return f"Dask's configuration names files that are not: {', '.join(missing)}."
    if not (keys["ca_file"] and keys["cert"]):
        return (
            "For TLS, name your authority's and this computer's certificate in Dask's "
            "configuration: distributed.comm.tls.ca-file, .client.cert and .client.key."
        )
    return (
        "Scheduler, workers and this computer need certificates of one authority, the "
        "one in distributed.comm.tls.ca-file."
    )


def _words(answer: object) -> str:
    """Return what a worker answered; of an error, what it says."""
    if isinstance(answer, ModuleNotFoundError | AttributeError):
        return f"it has no nbproctor, or another version of it ({answer})"
    return answer if isinstance(answer, str) else repr(answer)
