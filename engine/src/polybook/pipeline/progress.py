"""Progress of long work: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars


class Progress:
    """A context manager that shows how far some work is.

    Args:
        title: What is being done.
        total: How many steps there are.
    """

    def __init__(self, title: str, total: int) -> None:
        self._console = Console(stderr=True)
        self._bars = Bars(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._bars.add_task(title, total=total)
        self._title = title
        self._left = total

    def __enter__(self) -> Progress:
        self._bars.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.__exit__(kind, error, trace)

    def step(self, what: str, *, amount: int = 1) -> None:
        """Say what has been done."""
        self._print(what)
        self._left -= amount
        self._bars.update(self._task, advance=amount, description=f"{self._title}: {what}")

    @contextmanager
    def part(self, what: str, total: int) -> Iterator[Part]:
        """Show a part of the work while the block runs: a bar of its own; its end is one step.

        Args:
            what: The part's name.
            total: How many steps it has itself.
        """
        part = Part(self._bars, what, total, self._print, self._say)
        try:
            yield part
        finally:
            self._left -= 1
            left = f"{self._left} left" if self._left else "nothing left"
            self._bars.update(self._task, advance=1, description=f"{self._title}: {left}")
            part.end(left)

    def _print(self, what: str) -> None:
        if self._bars.disable:  # no terminal
            self._say(what)

    def _say(self, what: str) -> None:
        self._console.print(f"{self._title}: {what}", highlight=False, markup=False, soft_wrap=True)


class Part:
    """A part of the work.

    Args:
        bars: The bars that show it once it has begun.
        what: Its name.
        total: How many steps it has.
        note: Says what the bars show, where there are none.
        say: Says what they do not show.
    """

    def __init__(
        self,
        bars: Bars,
        what: str,
        total: int,
        note: Callable[[str], object],
        say: Callable[[str], object],
    ) -> None:
        self._bars = bars
        self._what = what
        self._total = total
        self._note = note
        self._say = say
        self._task: TaskID | None = None
        self._began = time.monotonic()
        #: How the part ends, a verb.
        self.outcome = "stopped"

    def begin(self, where: str) -> None:
        """Say that the part has begun, perhaps once more, and where."""
        self._note(f"{self._what} begins on {where}")
        self._began = time.monotonic()
        self._remove()
        self._task = self._bars.add_task(f"  {self._what} on {where}", total=self._total)

    def reach(self, step: int) -> None:
        """Say that the part is at a step, counted from 1."""
        if self._task is not None:
            self._bars.update(self._task, completed=step - 1)

    def say(self, what: str) -> None:
        """Say something about the part."""
        self._say(f"{self._what}: {what}")

    def end(self, left: str) -> None:
        """Say how the part ended, and what is left."""
        if self._task is not None:
            seconds = time.monotonic() - self._began
            self._note(f"{self._what} {self.outcome} after {seconds:.0f} s; {left}")
        elif self.outcome != "stopped":
            self._note(f"{self._what} {self.outcome}; {left}")
        self._remove()

    def _remove(self) -> None:
        if self._task is not None:
            self._bars.remove_task(self._task)
