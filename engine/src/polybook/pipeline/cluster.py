"""Running units on a Dask cluster, whose workers share no disk with this machine."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import dask
from distributed import Client, Future

from ..diagnostics import Code, Diagnostic
from ..errors import ExecutionError
from ..execute import RunResult
from ..store import Store
from .execution import Wishes
from .machine import Job, News, without_gpu
from .measures import Measures
from .parcels import GPU, MEMORY, Parcel, data_files, library_files, run_parcel
from .places import job_of
from .units import OUTPUTS_FOLDER, Unit

#: Seconds to wait for the scheduler's answer.
_PATIENCE = 10
_SETTINGS = {"distributed.admin.large-graph-warning-threshold": "1TiB"}


@asynccontextmanager
async def connected(address: str, wishes: Wishes, measures: Measures) -> AsyncIterator[Cluster]:
    """Connect to a cluster while the block runs; what still runs there afterwards is ended.

    Raises:
        ExecutionError: No scheduler answers.
    """
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what goes wrong is told by a diagnostic
    with dask.config.set(_SETTINGS):
        try:
            client = await Client(address, asynchronous=True, set_as_default=False, timeout=_PATIENCE)
        except (OSError, ValueError) as error:
            what = f"No Dask scheduler answers at {address}: {str(error).rstrip('.')}."
            advice = "Start one with `dask scheduler`, and mind the address it prints."
            raise ExecutionError(Diagnostic("polybook", 0, Code.CLUSTER, what, advice)) from error
        async with client:
            yield Cluster(client, wishes, measures)


class Cluster:
    """A Dask cluster; see `places.Place`.

    Args:
        client: The connection to its scheduler.
        wishes: How to run.
        measures: What units took before.
    """

    def __init__(self, client: Client, wishes: Wishes, measures: Measures) -> None:
        self._client = client
        self._wishes = wishes
        self._measures = measures
        self._topic = f"polybook-{uuid4().hex}"
        self._news: dict[str, News] = {}
        client.subscribe_topic(self._topic, self._hear)

    async def run(self, unit: Unit, news: News) -> RunResult:
        """See `places.Place`; where a worker is lost, Dask runs the unit on another one."""
        job = job_of(unit, self._wishes, self._measures)
        resources = await self._resources(job)
        parcel, contents = self._pack(unit, job)
        self._news[parcel.key] = news
        future = self._client.submit(
            run_parcel, parcel, *contents, key=parcel.key, pure=False, resources=resources
        )
        try:
            result: RunResult | Sequence[Diagnostic] = await future
        except Exception as error:  # whatever Dask makes of a cluster's misfortunes
            raise ExecutionError(_lost(job, error)) from error
        finally:
            future.release()
            del self._news[parcel.key]
        if not isinstance(result, RunResult):
            raise ExecutionError(*result)
        return result

    async def _resources(self, job: Job) -> dict[str, float]:
        """Return what a job asks of its worker.

        Raises:
            ExecutionError: It needs a GPU and there are workers, but none with one.
        """
        scheduler: Any = self._client.scheduler
        identity = await scheduler.identity(n_workers=-1)
        declared = [worker["resources"] for worker in identity["workers"].values()]
        resources = {}
        if job.gpu and not job.smoke:
            if declared and not any(each.get(GPU) for each in declared):
                raise ExecutionError(without_gpu(job))
            resources[GPU] = 1.0
        if largest := max((each.get(MEMORY, 0.0) for each in declared), default=0.0):
            resources[MEMORY] = min(job.memory, largest)
        return resources

    def _pack(self, unit: Unit, job: Job) -> tuple[Parcel, list[Future[bytes]]]:
        """Return a unit's parcel and the contents of its data files, each sent to the cluster once."""
        store = Store(unit.book.root / OUTPUTS_FOLDER)
        record = store.load(unit.framework, unit.chapter.name, lambda _: None)
        files = data_files(unit, record.provenance.data if record else {})
        parcel = Parcel(
            key=f"{unit.name}-{uuid4().hex}",
            topic=self._topic,
            job=job,
            library=unit.book.config.library,
            code=library_files(unit),
            data=list(files),
        )
        return parcel, [self._sent(path.read_bytes()) for path in files.values()]

    def _sent(self, content: bytes) -> Future[bytes]:
        """Return a file's content in the cluster; a worker that is lost with it costs nothing."""
        key = f"polybook-{hashlib.sha256(content).hexdigest()}"
        return self._client.submit(bytes, content, key=key)

    def _hear(self, event: tuple[float, Mapping[str, Any]]) -> None:
        """Pass on what a worker says of a run that is still waited for."""
        _, said = event
        news = self._news.get(said["key"])
        if news is not None:
            getattr(news, said["news"])(*said["arguments"])


def _lost(job: Job, error: Exception) -> Diagnostic:
    reason = str(error).rstrip(".") or type(error).__name__
    what = f"The Dask cluster could not run `{job.name}`: {reason}."
    advice = "Look at what its workers say, and run it again."
    return Diagnostic(*job.places[0], Code.CLUSTER, what, advice)
