"""Running what must run, and storing what it gives."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..diagnostics import Diagnostic
from ..errors import ExecutionError
from ..frameworks import FRAMEWORKS
from ..outputs import Provenance, Record, make_record
from ..store import Store
from .book import Book
from .units import BUILD_FOLDER, DATA_VARIABLE, OUTPUTS_FOLDER, Unit, data_roots, find_state

if TYPE_CHECKING:
    from .progress import Progress

ENVIRONMENTS_FOLDER = ".venvs"
#: Set, it makes training take seconds; the results mean nothing and are never stored.
SMOKE_VARIABLE = "D2L_SMOKE"


@dataclass(slots=True)
class Tally:
    """What `execute` did."""

    #: How many units ran to their end.
    run: int = 0
    #: How many needed no run.
    fresh: int = 0
    #: How many failed.
    failed: int = 0
    #: Why.
    diagnostics: list[Diagnostic] = field(default_factory=list)


def execute(
    book: Book,
    units: Sequence[Unit],
    *,
    force: bool = False,
    smoke: bool = False,
    cell_timeout: float | None = None,
) -> Tally:
    """Run what is stale or missing and store the results; a unit that fails leaves what was stored.

    Args:
        book: The book.
        units: What to run.
        force: Run what is fresh as well.
        smoke: Run everything in seconds and store nothing.
        cell_timeout: Seconds that one cell may run, `None` for as long as it likes.
    """
    tally = Tally()
    waiting = []
    for unit in units:
        state, found = find_state(unit)
        tally.diagnostics += found
        if force or smoke or state.word != "fresh":
            waiting.append(unit)
        else:
            tally.fresh += 1
    if not waiting:
        return tally
    from .progress import Progress

    with Progress("Running", sum(len(unit.codes) for unit in waiting)) as progress:
        for unit in waiting:
            try:
                record = _run(unit, progress, smoke=smoke, cell_timeout=cell_timeout)
            except ExecutionError as error:
                tally.failed += 1
                tally.diagnostics += error.diagnostics
                continue
            tally.run += 1
            if not smoke:
                Store(book.root / OUTPUTS_FOLDER).save(unit.framework, record)
    return tally


def _run(unit: Unit, progress: Progress, *, smoke: bool, cell_timeout: float | None) -> Record:
    from ..execute import Setting, run

    root = unit.book.root
    place = root / BUILD_FOLDER / "execution"
    place.mkdir(parents=True, exist_ok=True)
    roots = data_roots(unit.book)
    variables = {SMOKE_VARIABLE: "1" if smoke else ""}
    if DATA_VARIABLE in os.environ:
        variables[DATA_VARIABLE] = str(roots[0])
    setting = Setting(
        framework=FRAMEWORKS[unit.framework],
        environment=root / ENVIRONMENTS_FOLDER / unit.framework,
        working_directory=place,
        python_path=[root],
        variables=variables,
        data_roots=roots,
        cell_timeout=cell_timeout,
    )

    def report(number: int, count: int) -> None:
        progress.step(f"{unit.framework} {unit.chapter.name}, cell {number} of {count}")

    result = run(unit.codes, unit.places, setting, report)
    provenance = Provenance(unit.framework, result.version, result.python, result.device, result.data)
    return make_record(unit.chapter.name, unit.codes, result.outputs, unit.definitions, provenance)
