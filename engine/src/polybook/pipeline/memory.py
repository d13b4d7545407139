"""The memory that runs share."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_SIZE = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>[KMGT]?)(?:i?B)?", re.IGNORECASE)
_UNITS = ("", "K", "M", "G", "T")


def read_size(text: str) -> int | None:
    """Return the bytes that a text such as `8G` or `512 MB` means, or `None` where it means no size."""
    match = _SIZE.fullmatch(text.replace(" ", ""))
    size = int(float(match["number"]) * 1024 ** _UNITS.index(match["unit"].upper())) if match else 0
    return size or None


class Memory:
    """A bound on what runs hold together; who waits first is served first.

    Args:
        bound: The bytes there are to share; infinite for no bound.
    """

    def __init__(self, bound: float = math.inf) -> None:
        self.bound = bound
        self.free = bound
        self._turn = asyncio.Lock()
        self._freed = asyncio.Event()

    @asynccontextmanager
    async def hold(self, size: float) -> AsyncIterator[Share]:
        """Wait until so much is free and keep it while the block runs; nothing is larger than the bound."""
        size = min(size, self.bound)
        async with self._turn:
            while size > self.free:
                self._freed.clear()
                await self._freed.wait()
            self.free -= size
        share = Share(self, size)
        try:
            yield share
        finally:
            self.free += share.size
            self._freed.set()


class Share:
    """What one run keeps of the memory.

    Args:
        memory: The memory.
        size: The bytes that the run keeps.
    """

    def __init__(self, memory: Memory, size: float) -> None:
        self._memory = memory
        self.size = size
        #: Whether the run wanted more than was free, though not more than there is.
        self.is_short = False

    def covers(self, held: int) -> bool:
        """Return whether the run may hold so much; where it is more than it keeps, it takes what is free."""
        more = max(held - self.size, 0)
        if more > self._memory.free:
            self.is_short = held <= self._memory.bound
            return False
        self._memory.free -= more
        self.size += more
        return True
