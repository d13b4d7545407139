"""A machine that runs code: this one, or a worker of a cluster."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..diagnostics import Code, Diagnostic
from ..errors import ExecutionError
from ..execute import Place, RunResult, Setting, run
from ..frameworks import FRAMEWORKS
from ..outputs import PROCESSOR
from .memory import Memory
from .schedule import GPU_VARIABLE, Slots, find_cores, find_gpus
from .units import DATA_VARIABLE

#: Set, it makes training take seconds; the results mean nothing and are never stored.
SMOKE_VARIABLE = "D2L_SMOKE"


@dataclass(frozen=True, slots=True)
class Job:
    """A unit's code with what it needs, wherever it runs."""

    #: The unit's name.
    name: str
    #: The framework's name.
    framework: str
    #: The code of each cell.
    codes: Sequence[str]
    #: Where each cell stands, for messages.
    places: Sequence[Place]
    #: Whether it needs a GPU.
    gpu: bool
    #: The bytes of memory that it is thought to need.
    memory: int
    #: Whether it is only to be seen to run.
    smoke: bool
    #: Seconds that one cell may run, `None` for as long as it likes.
    cell_timeout: float | None
    #: The version of the framework that the book pins, `None` for any.
    version: str | None


@dataclass(frozen=True, slots=True)
class Folders:
    """Where a job runs on a machine, and where it finds things there."""

    #: The framework's virtual environment.
    environment: Path
    #: What the cells run in; it is emptied before each run.
    working: Path
    #: What the cells can import from.
    code: Path
    #: Where data files lie; of two files of one name the first folder's counts.
    data: Sequence[Path]
    #: What the variable for data files names, `None` for nothing.
    named_data: Path | None


class News(Protocol):
    """Is told how a job comes on."""

    def begin(self, where: str, /) -> None:
        """Hear that it has begun, perhaps not for the first time, and where: `GPU 0`."""

    def reach(self, cell: int, /) -> None:
        """Hear that it is at a cell, counted from 1."""

    def say(self, what: str, /) -> None:
        """Hear something that people may want to know."""


class Machine:
    """Runs jobs as soon as there is room for them.

    Args:
        jobs: How many there are at a time.
        memory: The bytes of memory that they may hold together.
    """

    def __init__(self, jobs: int, memory: float = math.inf) -> None:
        self._gpus = find_gpus()
        self._slots = Slots(jobs, find_cores(), self._gpus)
        self._memory = Memory(memory)

    async def run(self, job: Job, folders: Folders, news: News) -> RunResult:
        """Run a job; one that outgrows what is free beside the others runs again with all the memory.

        Raises:
            ExecutionError: The job failed, needs a GPU and there is none for its framework, or more memory
                than there is.
        """
        if job.gpu and not self._gpus and not job.smoke:
            raise ExecutionError(without_gpu(job))
        result = await self._run(job, folders, news, job.memory)
        if result is None:
            news.say("it needs more memory than is free beside the others and runs again alone")
            result = await self._run(job, folders, news, self._memory.bound)
        if result is None:
            raise RuntimeError(f"{job.name} had all the memory and was short of it")
        if job.gpu and not job.smoke and result.device == PROCESSOR:
            raise ExecutionError(_blind(job, folders.environment))
        return result

    async def _run(self, job: Job, folders: Folders, news: News, size: float) -> RunResult | None:
        """Return the result of a job, or `None` where it fell short of memory that the others have."""
        needs_gpu = job.gpu and bool(self._gpus)
        async with self._slots.hold(needs_gpu=needs_gpu) as slot, self._memory.hold(size) as share:
            news.begin(slot.name)
            setting = _setting(job, folders, slot.gpu, slot.cores)
            try:
                return await run(
                    job.codes, job.places, setting, lambda cell, _: news.reach(cell), share.covers
                )
            except ExecutionError:
                if share.is_short:
                    return None
                raise


def without_gpu(job: Job) -> Diagnostic:
    """Return the finding for a job that needs a GPU where there is none."""
    what = f"`{job.name}` needs a GPU, and there is none here."
    return Diagnostic(*job.places[0], Code.NO_GPU, what, "Run it on a machine that has one.")


def _blind(job: Job, environment: Path) -> Diagnostic:
    """Return the finding for a job that was given a GPU and ran on the processor."""
    what = f"`{job.name}` needs a GPU, and the framework in {environment} sees none."
    return Diagnostic(*job.places[0], Code.NO_GPU, what, "Install its build for GPUs there.")


def _setting(job: Job, folders: Folders, gpu: str | None, cores: Sequence[int]) -> Setting:
    variables = {SMOKE_VARIABLE: "1" if job.smoke else "", GPU_VARIABLE: gpu or ""}
    if folders.named_data:
        variables[DATA_VARIABLE] = str(folders.named_data)
    if folders.working.exists():
        shutil.rmtree(folders.working)
    folders.working.mkdir(parents=True)
    return Setting(
        framework=FRAMEWORKS[job.framework],
        environment=folders.environment,
        working_directory=folders.working,
        python_path=[folders.code],
        variables=variables,
        data_roots=folders.data,
        cores=cores,
        cell_timeout=job.cell_timeout,
        version=job.version,
    )
