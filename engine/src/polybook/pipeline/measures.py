"""What units took when they last ran here, and what follows: who goes first, and to which shard."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .book import Book
from .files import write_if_changed
from .units import Unit, execution_folder

_FILE = "durations.json"
_SHARD = re.compile(r"(\d+)/(\d+)")


@dataclass(frozen=True, slots=True)
class Shard:
    """One part of the work of several machines that know nothing of each other: `2/8`."""

    #: Which part it is, from 1.
    number: int
    #: How many parts there are.
    count: int


def read_shard(text: str) -> Shard | None:
    """Return the shard that a text such as `2/8` names, or `None` where it names none."""
    match = _SHARD.fullmatch(text)
    shard = Shard(int(match[1]), int(match[2])) if match else None
    return shard if shard and 1 <= shard.number <= shard.count else None


class Measures:
    """How many seconds units took when they last ran here; lost, they only cost time.

    Args:
        path: The JSON file that keeps them.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seconds = _read_seconds(path)

    @classmethod
    def of(cls, book: Book) -> Measures:
        """Return what is known of a book's units on this machine."""
        return cls(execution_folder(book) / _FILE)

    def longest_first(self, units: Iterable[Unit]) -> list[Unit]:
        """Return the units in the order to run them: those that never ran may be the longest."""
        return sorted(units, key=lambda unit: -self._seconds.get(unit.name, math.inf))

    def part(self, units: Sequence[Unit], shard: Shard) -> list[Unit]:
        """Return the units of one shard; each unit is in one of them.

        The longest goes first to the shard that has the least to do so far. What never ran counts as the
        mean of the others, so without any measure the shards are equal in number.
        """
        known = [seconds for unit in units if (seconds := self._seconds.get(unit.name)) is not None]
        mean = sum(known) / len(known) if known else 1.0
        weights = {unit.name: self._seconds.get(unit.name, mean) for unit in units}
        shards: list[list[Unit]] = [[] for _ in range(shard.count)]
        loads = [(0.0, 0)] * shard.count
        for unit in sorted(units, key=lambda unit: (-weights[unit.name], unit.name)):
            least = loads.index(min(loads))
            seconds, count = loads[least]
            loads[least] = seconds + weights[unit.name], count + 1
            shards[least].append(unit)
        return shards[shard.number - 1]

    def keep(self, unit: Unit, seconds: float) -> None:
        """Remember how long a unit took, unless the disk is full."""
        self._seconds[unit.name] = round(seconds, 1)
        with suppress(OSError):
            write_if_changed(self._path, json.dumps(self._seconds, indent=1, sort_keys=True) + "\n")


def _read_seconds(path: Path) -> dict[str, float]:
    try:
        seconds = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(seconds, Mapping):
        return {}
    return {name: value for name, value in seconds.items() if isinstance(value, int | float)}
