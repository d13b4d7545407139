"""Where runs go on a machine: shares of its cores, and its GPUs."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

#: Names the GPUs that polybook may give out; one of them is what a kernel gets by it.
GPU_VARIABLE = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True, slots=True)
class Slot:
    """What one run has to itself."""

    #: The cores that its kernel keeps to.
    cores: tuple[int, ...]
    #: The GPU that its kernel sees, or `None` for none.
    gpu: str | None

    @property
    def name(self) -> str:
        """What to call it: `GPU 0`, `2 cores`."""
        if self.gpu is not None:
            return f"GPU {self.gpu}"
        return f"{len(self.cores)} core{'s' * (len(self.cores) != 1)}"


class Slots:
    """The machine, shared out; who waits first is served first.

    Args:
        jobs: How many runs there are at a time.
        cores: The cores of the machine.
        gpus: The names of its GPUs.
    """

    def __init__(self, jobs: int, cores: Sequence[int], gpus: Iterable[str]) -> None:
        self._shares: asyncio.Queue[tuple[int, ...]] = asyncio.Queue()
        self._gpus: asyncio.Queue[str] = asyncio.Queue()
        for share in share_cores(cores, jobs):
            self._shares.put_nowait(share)
        for gpu in gpus:
            self._gpus.put_nowait(gpu)

    @asynccontextmanager
    async def hold(self, *, needs_gpu: bool) -> AsyncIterator[Slot]:
        """Wait for a slot and keep it while the block runs; with no GPU at all, one is waited for forever."""
        gpu = await self._gpus.get() if needs_gpu else None
        try:
            cores = await self._shares.get()
            try:
                yield Slot(cores, gpu)
            finally:
                self._shares.put_nowait(cores)
        finally:
            if gpu is not None:
                self._gpus.put_nowait(gpu)


def share_cores(cores: Sequence[int], jobs: int) -> list[tuple[int, ...]]:
    """Return a share of the cores for each job; with more jobs than cores, some share one."""
    return [tuple(cores[number % len(cores) :: jobs]) for number in range(jobs)]


def find_cores() -> list[int]:
    """Return the cores that polybook may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def find_gpus() -> list[str]:
    """Return the GPUs that polybook may give out: what the caller's variable names, or all there are."""
    named = os.environ.get(GPU_VARIABLE)
    if named is not None:
        return [name for part in named.split(",") if (name := part.strip()) and name != "-1"]
    devices = (path.name.removeprefix("nvidia") for path in Path("/dev").glob("nvidia[0-9]*"))
    return sorted(devices, key=int)
