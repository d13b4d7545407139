"""Running units side by side, and storing what they give as soon as it is there."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..diagnostics import Code, Diagnostic
from ..errors import ExecutionError
from ..execute import RunResult
from ..outputs import Provenance, Record, make_record
from ..results import check_record, compare_records, diff_records
from ..store import Store
from .book import Book
from .execution import Tally, Wishes
from .measures import Cost, Measures
from .places import Here, Place
from .progress import Part, Progress
from .sources import library_texts, outdated_files
from .units import OUTPUTS_FOLDER, Unit, execution_folder, find_state, lacks_gpu, rejected_of


def run_units(book: Book, units: Sequence[Unit], wishes: Wishes, tally: Tally) -> None:
    """Run units and store their results.

    Args:
        book: The book.
        units: What to run.
        wishes: How to run it.
        tally: Is told what happened.

    Raises:
        ExecutionError: Another polybook is running code of this book.
        KeyboardInterrupt: The author, or the system, wants polybook to stop; the kernels are gone by then.
    """
    store = Store(book.root / OUTPUTS_FOLDER)
    with contextlib.nullcontext() if wishes.smoke else store.lock():
        if not wishes.smoke:
            store.sweep()
        # another polybook may have run some before the lock was there to be had
        left = [unit for unit in units if wishes.runs(find_state(unit)[0])]
        tally.fresh += len(units) - len(left)
        try:
            asyncio.run(_run_units(book, store, left, wishes, tally))
        except asyncio.CancelledError as error:
            raise KeyboardInterrupt from error


async def _run_units(book: Book, store: Store, units: Sequence[Unit], wishes: Wishes, tally: Tally) -> None:
    with _stopped_by_signals(), Progress("Running", len(units)) as progress:
        measures = Measures.of(book)
        async with _place(book, wishes, measures) as place:
            library = dict(library_texts(book, {unit.framework for unit in units}))
            runner = _Runner(place, measures, store, library, wishes, tally, progress)
            try:
                async with asyncio.TaskGroup() as group:
                    for unit in measures.longest_first(units):
                        group.create_task(runner.run(unit))
            except BaseExceptionGroup as errors:
                raise errors.exceptions[0] from errors


@contextlib.asynccontextmanager
async def _place(book: Book, wishes: Wishes, measures: Measures) -> AsyncIterator[Place]:
    """Open the place where units are to run."""
    if wishes.dask is None:
        with _working_folder(book, wishes) as folder:
            yield Here(wishes, measures, folder)
        return
    from .cluster import connected

    async with connected(wishes.dask, wishes, measures) as cluster:
        yield cluster


@contextlib.contextmanager
def _working_folder(book: Book, wishes: Wishes) -> Iterator[Path]:
    """Return what runs have their folders in; short runs may be beside others and have their own."""
    folder = execution_folder(book)
    if not wishes.smoke:
        yield folder
        return
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="smoke-", dir=folder, ignore_cleanup_errors=True) as own:
        yield Path(own)


@contextlib.contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Cancel the current task where the system asks polybook to end; Ctrl-C does so anyway."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    signals = (signal.SIGTERM, signal.SIGHUP)
    for each in signals:
        loop.add_signal_handler(each, lambda: task and task.cancel())
    try:
        yield
    finally:
        for each in signals:
            loop.remove_signal_handler(each)


@dataclass(frozen=True, slots=True)
class _Runner:
    """Has units run and keeps what they give."""

    #: Where they run.
    place: Place
    #: Is told what they took.
    measures: Measures
    #: Keeps their results.
    store: Store
    #: The library that the keys speak of: the text of each file, by its path in the book.
    library: Mapping[str, str]
    #: How to run.
    wishes: Wishes
    #: Is told what happened.
    tally: Tally
    #: Is told what happens.
    progress: Progress

    async def run(self, unit: Unit) -> None:
        """Run a unit; whatever is wrong with it goes to the tally."""
        with self.progress.part(unit.name, len(unit.codes)) as part:
            try:
                self._finish(unit, await self._attempt(unit, part))
                part.outcome = "finished"
            except ExecutionError as error:
                self.tally.failed += 1
                self.tally.diagnostics += error.diagnostics
                part.outcome = "failed"

    async def _attempt(self, unit: Unit, part: Part) -> RunResult:
        """Return what a run gave; a unit whose kernel died gets another one."""
        try:
            return await self.place.run(unit, part)
        except ExecutionError as error:
            if not _is_death(error):
                raise
        part.say("its kernel died and gets a second try")
        return await self.place.run(unit, part)

    def _finish(self, unit: Unit, result: RunResult) -> None:
        record, expect = _record(unit, result), unit.settings.expect
        if self.wishes.smoke:
            expect = {}  # nobody expects a short training to get that far
        else:
            self.measures.keep(unit, Cost(round(result.seconds, 1), result.memory))
            record = self._keep(unit, record)
        self.tally.diagnostics += check_record(record, expect, unit.places, unit.outline.training)
        self.tally.run += 1

    def _keep(self, unit: Unit, record: Record) -> Record:
        """Store a record where it is news; return what is stored then.

        Raises:
            ExecutionError: The library has changed meanwhile, the same code gave another result before, or
                the disk does not take the record.
        """
        if changed := outdated_files(unit.book, self.library):
            raise ExecutionError(_library_changed(unit, changed[0]))
        stored = self.store.load(unit.framework, unit.chapter.name, lambda _: None)
        rejected = rejected_of(unit.book)
        try:
            is_rerun = stored is not None and stored.key == record.key and not lacks_gpu(unit, stored)
            if stored is not None and is_rerun and not self.wishes.accept:
                if found := compare_records(stored, record, unit.places):
                    rejected.save(unit.framework, record)
                    self.tally.diffs.append(diff_records(stored, record))
                    raise ExecutionError(*found)
                record = stored
            else:
                self.store.save(unit.framework, record)
            rejected.remove(unit.framework, unit.chapter.name)
        except OSError as error:
            raise ExecutionError(_not_stored(unit, error)) from error
        return record


def _record(unit: Unit, result: RunResult) -> Record:
    provenance = Provenance(unit.framework, result.version, result.python, result.device, result.data)
    return make_record(unit.chapter.name, unit.codes, result.outputs, unit.definitions, provenance)


def _is_death(error: ExecutionError) -> bool:
    return any(one.code is Code.KERNEL_DIED for one in error.diagnostics)


def _library_changed(unit: Unit, path: str) -> Diagnostic:
    what = f"The library changed while `{unit.name}` ran with it; nothing is stored of that run."
    return Diagnostic(path, 0, Code.LIBRARY_OUT_OF_DATE, what, "Run it again.")


def _not_stored(unit: Unit, error: OSError) -> Diagnostic:
    path = Path(OUTPUTS_FOLDER, unit.framework, f"{unit.chapter.name}.json").as_posix()
    what = f"The result of a run could not be stored: {error.strerror or error}."
    advice = "Look at the folder's permissions and the disk's space, and run it again."
    return Diagnostic(path, 0, Code.UNUSABLE_FILE, what, advice)
