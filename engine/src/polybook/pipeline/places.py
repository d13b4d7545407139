"""Where units run: on this machine, or wherever else something is that can run them."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Protocol

from ..execute import RunResult
from .book import Book
from .execution import Wishes
from .machine import Folders, Job, Machine, News
from .measures import Measures
from .units import DATA_VARIABLE, ENVIRONMENTS_FOLDER, Unit, data_roots

#: What no part of a chapter's name is, so no folder of a run lies in another's.
_FOLDER = ".run"


class Place(Protocol):
    """Where units run."""

    async def run(self, unit: Unit, news: News) -> RunResult:
        """Run a unit as soon as there is room for it.

        Raises:
            ExecutionError: It failed.
        """


class Here:
    """The machine that polybook itself runs on.

    Args:
        wishes: How to run.
        measures: What units took before.
        working: What each run has a folder of its own in.
    """

    def __init__(self, wishes: Wishes, measures: Measures, working: Path) -> None:
        self._wishes = wishes
        self._measures = measures
        self._working = working
        self._machine = Machine(wishes.jobs, wishes.memory or math.inf)

    async def run(self, unit: Unit, news: News) -> RunResult:
        """See `Place`."""
        job = job_of(unit, self._wishes, self._measures)
        return await self._machine.run(job, _folders(unit.book, unit, self._working), news)


def job_of(unit: Unit, wishes: Wishes, measures: Measures) -> Job:
    """Return a unit's code with what it needs."""
    return Job(
        name=unit.name,
        framework=unit.framework,
        codes=unit.codes,
        places=unit.places,
        gpu=unit.settings.gpu,
        memory=measures.memory(unit),
        smoke=wishes.smoke,
        cell_timeout=wishes.cell_timeout,
        version=unit.book.requirements[unit.framework].version,
    )


def _folders(book: Book, unit: Unit, working: Path) -> Folders:
    roots = data_roots(book)
    return Folders(
        environment=book.root / ENVIRONMENTS_FOLDER / unit.framework,
        working=working / unit.name / _FOLDER,
        code=book.root,
        data=roots,
        named_data=roots[0] if DATA_VARIABLE in os.environ else None,
    )
