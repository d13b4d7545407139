"""What units took when they last ran here, and what follows: who goes first, and to which shard."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from .book import Book
from .files import write_if_changed
from .units import Unit, execution_folder

_FILE = "measures.json"
#: The bytes that a unit is thought to need before it has run.
_USUAL_MEMORY = 2 * 1024**3
#: By how much more than the last time it is thought to need.
_MARGIN = 1.1
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


@dataclass(frozen=True, slots=True)
class Cost:
    """What a unit took."""

    #: How long it ran.
    seconds: float
    #: The bytes of memory that it held at the most.
    memory: int


class Measures:
    """What units took when they last ran from here; lost, it only costs time.

    Args:
        path: The JSON file that keeps them.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._costs = _read_costs(path)

    @classmethod
    def of(cls, book: Book) -> Measures:
        """Return what is known of a book's units on this machine."""
        return cls(execution_folder(book) / _FILE)

    def longest_first(self, units: Iterable[Unit]) -> list[Unit]:
        """Return the units in the order to run them: those that never ran may be the longest."""
        return sorted(units, key=lambda unit: -self._seconds(unit, math.inf))

    def memory(self, unit: Unit) -> int:
        """Return the bytes of memory that a unit is thought to need: a little more than the last time."""
        cost = self._costs.get(unit.name)
        return int(cost.memory * _MARGIN) if cost else _USUAL_MEMORY

    def part(self, units: Sequence[Unit], shard: Shard) -> list[Unit]:
        """Return the units of one shard; each unit is in one of them.

        The longest goes first to the shard that has the least to do so far. What never ran counts as the
        mean of the others, so without any measure the shards are equal in number.
        """
        known = [self._costs[unit.name].seconds for unit in units if unit.name in self._costs]
        mean = sum(known) / len(known) if known else 1.0
        weights = {unit.name: self._seconds(unit, mean) for unit in units}
        shards: list[list[Unit]] = [[] for _ in range(shard.count)]
        loads = [(0.0, 0)] * shard.count
        for unit in sorted(units, key=lambda unit: (-weights[unit.name], unit.name)):
            least = loads.index(min(loads))
            seconds, count = loads[least]
            loads[least] = seconds + weights[unit.name], count + 1
            shards[least].append(unit)
        return shards[shard.number - 1]

    def keep(self, unit: Unit, cost: Cost) -> None:
        """Remember what a unit took, unless the disk is full."""
        self._costs[unit.name] = cost
        costs = {name: asdict(each) for name, each in self._costs.items()}
        with suppress(OSError):
            write_if_changed(self._path, json.dumps(costs, indent=1, sort_keys=True) + "\n")

    def _seconds(self, unit: Unit, default: float) -> float:
        cost = self._costs.get(unit.name)
        return cost.seconds if cost else default


def _read_costs(path: Path) -> dict[str, Cost]:
    try:
        return {name: Cost(**cost) for name, cost in json.loads(path.read_bytes()).items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
