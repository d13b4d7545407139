"""Running units side by side, and storing what they give as soon as it is there."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..diagnostics import Code, Diagnostic
from ..errors import ExecutionError
from ..execute import Setting, run
from ..frameworks import FRAMEWORKS
from ..outputs import Provenance, Record, make_record
from ..results import check_record, compare_records
from ..store import Store
from .book import Book
from .execution import Tally, Wishes
from .measures import Measures
from .progress import Part, Progress
from .schedule import GPU_VARIABLE, Slot, Slots, find_cores, find_gpus
from .units import DATA_VARIABLE, OUTPUTS_FOLDER, Unit, data_roots, execution_folder, find_state

ENVIRONMENTS_FOLDER = ".venvs"
#: Set, it makes training take seconds; the results mean nothing and are never stored.
SMOKE_VARIABLE = "D2L_SMOKE"

#: How often a unit is run when its kernel dies.
_ATTEMPTS = 2


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
            asyncio.run(_run_units(book, left, wishes, tally))
        except asyncio.CancelledError as error:
            raise KeyboardInterrupt from error


async def _run_units(book: Book, units: Sequence[Unit], wishes: Wishes, tally: Tally) -> None:
    with _stopped_by_signals(), Progress("Running", len(units)) as progress:
        runner = _Runner(book, wishes, tally, progress)
        try:
            async with asyncio.TaskGroup() as group:
                for unit in runner.measures.longest_first(units):
                    group.create_task(runner.run(unit))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from errors


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


class _Runner:
    """Runs units in the slots of the machine.

    Args:
        book: The book.
        wishes: How to run.
        tally: Is told what happened.
        progress: Is told what happens.
    """

    def __init__(self, book: Book, wishes: Wishes, tally: Tally, progress: Progress) -> None:
        self.folder = execution_folder(book)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.measures = Measures.of(book)
        self.store = Store(book.root / OUTPUTS_FOLDER)
        self.wishes = wishes
        self.tally = tally
        self.progress = progress
        self.gpus = find_gpus()
        self.slots = Slots(wishes.jobs, find_cores(), self.gpus)

    async def run(self, unit: Unit) -> None:
        """Run a unit as soon as there is a slot; whatever is wrong with it goes to the tally."""
        if unit.settings.gpu and not self.gpus and not self.wishes.smoke:
            self._fail(_without_gpu(unit))
            self.progress.step(f"{unit.name} needs a GPU")
            return
        async with self.slots.hold(needs_gpu=unit.settings.gpu and bool(self.gpus)) as slot:
            with self.progress.part(unit.name, len(unit.codes)) as part:
                try:
                    await self._run_in(slot, unit, part)
                    part.outcome = "finished"
                except ExecutionError as error:
                    self._fail(*error.diagnostics)
                    part.outcome = "failed"

    def _fail(self, *diagnostics: Diagnostic) -> None:
        self.tally.failed += 1
        self.tally.diagnostics += diagnostics

    async def _run_in(self, slot: Slot, unit: Unit, part: Part) -> None:
        start = time.monotonic()
        record = await self._attempt(self._setting(unit, slot), unit, part)
        if not self.wishes.smoke:
            self.measures.keep(unit, time.monotonic() - start)
            kept = self._keep(unit, record)
            self.tally.diagnostics += check_record(kept, unit.settings.expect, unit.places)
        self.tally.run += 1

    async def _attempt(self, setting: Setting, unit: Unit, part: Part) -> Record:
        """Return what a run gave; a unit whose kernel died gets another one."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                result = await run(unit.codes, unit.places, setting, lambda cell, _: part.reach(cell))
                break
            except ExecutionError as error:
                if attempt == _ATTEMPTS or not _is_death(error):
                    raise
                part.say("its kernel died and gets a second try")
        provenance = Provenance(unit.framework, result.version, result.python, result.device, result.data)
        return make_record(unit.chapter.name, unit.codes, result.outputs, unit.definitions, provenance)

    def _keep(self, unit: Unit, record: Record) -> Record:
        """Store a record where it is news; return what is stored then.

        Raises:
            ExecutionError: The same code gave another result before, or the disk does not take the record.
        """
        stored = self.store.load(unit.framework, unit.chapter.name, lambda _: None)
        if stored is not None and stored.key == record.key and not self.wishes.accept:
            if found := compare_records(stored, record, unit.places):
                raise ExecutionError(*found)
            return stored
        try:
            self.store.save(unit.framework, record)
        except OSError as error:
            raise ExecutionError(_not_stored(unit, error)) from error
        return record

    def _setting(self, unit: Unit, slot: Slot) -> Setting:
        root = unit.book.root
        roots = data_roots(unit.book)
        folder = self.folder / unit.name
        folder.mkdir(parents=True, exist_ok=True)
        variables = {SMOKE_VARIABLE: "1" if self.wishes.smoke else "", GPU_VARIABLE: slot.gpu or ""}
        if DATA_VARIABLE in os.environ:
            variables[DATA_VARIABLE] = str(roots[0])
        return Setting(
            framework=FRAMEWORKS[unit.framework],
            environment=root / ENVIRONMENTS_FOLDER / unit.framework,
            working_directory=folder,
            python_path=[root],
            variables=variables,
            data_roots=roots,
            cores=slot.cores,
            cell_timeout=self.wishes.cell_timeout,
        )


def _is_death(error: ExecutionError) -> bool:
    return any(one.code is Code.KERNEL_DIED for one in error.diagnostics)


def _without_gpu(unit: Unit) -> Diagnostic:
    what = f"`{unit.name}` needs a GPU, and there is none here."
    return Diagnostic(*unit.places[0], Code.NO_GPU, what, "Run it on a machine that has one.")


def _not_stored(unit: Unit, error: OSError) -> Diagnostic:
    path = Path(OUTPUTS_FOLDER, unit.framework, f"{unit.chapter.name}.json").as_posix()
    what = f"The result of a run could not be stored: {error.strerror or error}."
    advice = "Look at the folder's permissions and the disk's space, and run it again."
    return Diagnostic(path, 0, Code.UNUSABLE_FILE, what, advice)
