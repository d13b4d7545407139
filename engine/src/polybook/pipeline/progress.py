"""Progress of long work: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
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
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._bars.add_task(title, total=total)
        self._title = title

    def __enter__(self) -> Progress:
        self._bars.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.__exit__(kind, error, trace)

    def step(self, what: str, *, amount: int = 1) -> None:
        """Say what has been done."""
        if self._bars.disable:
            self._console.print(f"{self._title}: {what}", highlight=False)
        self._bars.update(self._task, advance=amount, description=f"{self._title}: {what}")
