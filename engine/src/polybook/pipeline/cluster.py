"""Running units on a Dask cluster, whose workers share no disk with this machine."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import dask
from distributed import Client, Future

from ..diagnostics import Code, Diagnostic
from ..errors import ExecutionError
from ..execute import RunResult, beside
from ..store import Store
from .execution import Wishes
from .machine import Job, News, without_gpu
from .measures import Measures
from .parcels import GPU, MEMORY, Parcel, data_files, library_files, run_parcel
from .places import job_of
from .units import OUTPUTS_FOLDER, Unit

#: Seconds to wait for the scheduler's answer.
_PATIENCE = 10
#: Seconds to wait for a worker that can run something, and between two looks for one.
_WORKER_PATIENCE = 300
_LOOK = 5
#: What each worker declares, by name.
_Declared = Sequence[Mapping[str, float]]
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
        self._declared: _Declared = ()
        self._looked = -math.inf
        self._looking = asyncio.Lock()
        self._warned = False
        client.subscribe_topic(self._topic, self._hear)

    async def run(self, unit: Unit, news: News) -> RunResult:
        """See `places.Place`; where a worker is lost, Dask runs the unit on another one."""
        job = job_of(unit, self._wishes, self._measures)
        try:
            result = await self._run(unit, job, news)
        except ExecutionError:
            raise
        except Exception as error:  # whatever Dask makes of a cluster's misfortunes
            raise ExecutionError(_lost(job, error)) from error
        if not isinstance(result, RunResult):
            raise ExecutionError(*result)
        return result

    async def _run(self, unit: Unit, job: Job, news: News) -> RunResult | Sequence[Diagnostic]:
        await self._worker(job, {}, news)
        resources = self._resources(job)
        parcel, contents = self._pack(unit, job)
        self._news[parcel.key] = news
        future = self._client.submit(
            run_parcel, parcel, *contents, key=parcel.key, pure=False, resources=resources
        )
        try:
            async with beside(self._watch(job, resources, news)):
                result: RunResult | Sequence[Diagnostic] = await future
                return result
        finally:
            future.release()
            del self._news[parcel.key]

    async def _watch(self, job: Job, resources: Mapping[str, float], news: News) -> None:
        """Look whether there still is a worker that can run a job.

        Raises:
            ExecutionError: There has been none for too long.
        """
        while True:
            await self._worker(job, resources, news)
            await asyncio.sleep(_LOOK)

    async def _worker(self, job: Job, resources: Mapping[str, float], news: News) -> None:
        """Wait for a worker that has what a job asks for; say once that there is none.

        Raises:
            ExecutionError: None comes.
        """
        end = time.monotonic() + _WORKER_PATIENCE
        while not any(_offers(worker, resources) for worker in await self._workers()):
            if not self._warned:
                self._warned = True
                news.say(f"the cluster has no worker for it yet, which is waited for {_WORKER_PATIENCE} s")
            if time.monotonic() >= end:
                raise ExecutionError(_without_worker(job, resources))
            await asyncio.sleep(min(_LOOK, _WORKER_PATIENCE))

    async def _workers(self) -> _Declared:
        """Return what the workers declare; all runs share one look at them."""
        async with self._looking:
            if time.monotonic() - self._looked >= min(_LOOK, _WORKER_PATIENCE) / 2:
                scheduler: Any = self._client.scheduler
                identity = await scheduler.identity(n_workers=-1)
                self._declared = [worker["resources"] for worker in identity["workers"].values()]
                self._looked = time.monotonic()
        return self._declared

    def _resources(self, job: Job) -> dict[str, float]:
        """Return what a job asks of its worker.

        Raises:
            ExecutionError: It needs a GPU and no worker has one.
        """
        declared = self._declared
        resources = {}
        if job.gpu and not job.smoke:
            if not any(each.get(GPU) for each in declared):
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


def _offers(declared: Mapping[str, float], resources: Mapping[str, float]) -> bool:
    return all(declared.get(name, 0) >= amount for name, amount in resources.items())


def _without_worker(job: Job, resources: Mapping[str, float]) -> Diagnostic:
    asked = " and ".join(f"{name}={amount:g}" for name, amount in resources.items())
    what = f"The Dask cluster has no worker{f' with {asked}' if asked else ''} for `{job.name}`."
    advice = "Start one with `dask worker`, and run it again."
    return Diagnostic(*job.places[0], Code.CLUSTER, what, advice)


def _lost(job: Job, error: Exception) -> Diagnostic:
    reason = str(error).rstrip(".") or type(error).__name__
    what = f"The Dask cluster could not run `{job.name}`: {reason}."
    advice = "Look at what its workers say, and run it again."
    return Diagnostic(*job.places[0], Code.CLUSTER, what, advice)
