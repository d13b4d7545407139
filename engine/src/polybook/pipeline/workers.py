"""Processes that build one language each, and are kept as long as they are asked for the same."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from .sphinx_process import BUILT, FAILED


class Worker:
    """One Sphinx process, which loads Sphinx while it waits for its task."""

    def __init__(self) -> None:
        #: What it builds; see `sphinx_process`.
        self.task: dict[str, Any] = {}
        process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.sphinx_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1", "PYTHONHASHSEED": "0"},
            text=True,
        )
        if process.stdin is None or process.stdout is None:
            raise OSError(errno.EPIPE, "Sphinx's process has no pipes")
        self._process, self._tasks, self._answers = process, process.stdin, process.stdout

    def build(self, task: dict[str, Any]) -> int:
        """Build, and return how it went: one of the numbers of `sphinx_process`.

        Args:
            task: What to build; always the same one.
        """
        self.task = task
        try:
            print(json.dumps(task), file=self._tasks, flush=True)
        except BrokenPipeError:
            return FAILED
        answer = self._answers.readline().strip()
        return int(answer) if answer.isdecimal() else FAILED

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()


class Workers:
    """A context manager with a process for each language, started when it is first asked.

    Args:
        jobs: How many processes may run at once.
        languages: How many languages there are to build.
    """

    def __init__(self, jobs: int = 1, languages: int = 1) -> None:
        self._jobs = jobs
        self.share(languages)
        self._kept: dict[str, Worker] = {}
        self._spare: list[Worker] = []

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in [*self._kept.values(), *self._spare]:
            worker.close()

    def share(self, languages: int) -> None:
        """Share the processes among this number of languages."""
        #: How many languages are built at once.
        self.at_once = max(1, min(self._jobs, languages))
        #: How many processes each may use.
        self.each = max(1, self._jobs // self.at_once)

    def prepare(self) -> None:
        """Start a process already that will surely be asked for something."""
        self._spare.append(Worker())

    def build(self, task: Mapping[str, Any], log: Path) -> int:
        """Build what a task says; the process is kept if it went well.

        Args:
            task: What to build; see `sphinx_process`, but without `jobs` and `log`.
            log: Takes what Sphinx says.
        """
        task = {**task, "jobs": self.each, "log": str(log.resolve())}
        output = task["output"]
        worker = self._kept.get(output)
        if worker is None or worker.task != task:
            self._close(output)
            log.write_text("", encoding="utf-8")
            worker = self._kept[output] = self._spare.pop() if self._spare else Worker()
        status = worker.build(task)
        if status != BUILT:  # what it has in memory may be wrong, and it would not warn again
            self._close(output)
        return status

    def _close(self, output: str) -> None:
        if worker := self._kept.pop(output, None):
            worker.close()
