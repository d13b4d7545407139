"""What must run, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..diagnostics import Diagnostic
from ..store import Store
from .book import Book
from .measures import Measures, Shard
from .units import OUTPUTS_FOLDER, State, Unit, accept_rejected, check_results, find_state


@dataclass(frozen=True, slots=True)
class Wishes:
    """How the author wants code to be run."""

    #: Run what is fresh as well.
    force: bool = False
    #: Run everything in seconds and store nothing.
    smoke: bool = False
    #: Store what differs from the stored result of the same code.
    accept: bool = False
    #: The part of the work to do, `None` for all of it.
    shard: Shard | None = None
    #: How many runs there are at a time.
    jobs: int = 1
    #: The address of a Dask cluster to run on, `None` for this machine.
    dask: str | None = None
    #: The bytes of memory that runs may hold together, `None` for as many as they like.
    memory: int | None = None
    #: Seconds that one cell may run, `None` for as long as it likes.
    cell_timeout: float | None = None

    def runs(self, state: State) -> bool:
        """Return whether a unit in this state is to be run."""
        return self.force or self.smoke or state.word != "fresh"


@dataclass(slots=True)
class Tally:
    """What `execute` did."""

    #: How many units ran to their end.
    run: int = 0
    #: How many needed no run.
    fresh: int = 0
    #: How many of these have another result now, which an earlier run gave.
    accepted: int = 0
    #: How many are for other shards to run.
    left: int = 0
    #: How many failed.
    failed: int = 0
    #: Why.
    diagnostics: list[Diagnostic] = field(default_factory=list)
    #: What changed where a result was not stored because it differs, a unified diff for each.
    diffs: list[str] = field(default_factory=list)


def execute(book: Book, units: Sequence[Unit], wishes: Wishes) -> Tally:
    """Run what is stale or missing and store the results; a unit that fails leaves what was stored.

    Nothing runs while the library on disk is not the one that the chapters save: the kernels import the one,
    and the keys of what they give would be those of the other.

    Args:
        book: The book.
        units: What to run.
        wishes: How to run it.
    """
    tally = Tally()
    if wishes.accept and not wishes.force and not wishes.smoke:
        tally.accepted = accept_rejected(book, units)
    waiting = []
    for unit in units:
        state, found = find_state(unit)
        tally.diagnostics += found
        if wishes.runs(state):
            waiting.append(unit)
        else:
            tally.diagnostics += check_results(state)
    tally.fresh = len(units) - len(waiting)
    if wishes.shard:
        own = Measures.of(book).part(waiting, wishes.shard)
        tally.left = len(waiting) - len(own)
        waiting = own
    if waiting:
        _run(book, waiting, wishes, tally)
    elif not wishes.smoke:
        Store(book.root / OUTPUTS_FOLDER).tidy()
    return tally


def _run(book: Book, waiting: Sequence[Unit], wishes: Wishes, tally: Tally) -> None:
    from .running import run_units  # what talks to kernels is slow to import
    from .sources import check_libraries

    found = check_libraries(book, {unit.framework for unit in waiting})
    if found:
        tally.diagnostics += found
        tally.failed += len(waiting)
        return
    run_units(book, waiting, wishes, tally)
