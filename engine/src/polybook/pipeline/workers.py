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
    """One Sphinx process.

    Args:
        task: What it builds; see `sphinx_process`.
        log: Takes what Sphinx says of the last build.
    """

    def __init__(self, task: Mapping[str, Any], log: Path) -> None:
        self.task = dict(task)
        with log.open("w", encoding="utf-8") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", f"{__package__}.sphinx_process"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stream,
                env=os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1", "PYTHONHASHSEED": "0"},
                text=True,
            )
        if process.stdin is None or process.stdout is None:
            raise OSError(errno.EPIPE, "Sphinx's process has no pipes")
        self._process, self._tasks, self._answers = process, process.stdin, process.stdout

    def build(self) -> int:
        """Build, and return how it went: one of the numbers of `sphinx_process`."""
        try:
            print(json.dumps(self.task), file=self._tasks, flush=True)
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
        #: How many languages are built at once.
        self.at_once = max(1, min(jobs, languages))
        #: How many processes each may use.
        self.each = max(1, jobs // self.at_once)
        self._kept: dict[str, Worker] = {}

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for output in list(self._kept):
            self._close(output)

    def build(self, task: Mapping[str, Any], log: Path) -> int:
        """Build what a task says; the process is kept if it went well.

        Args:
            task: What to build; see `sphinx_process`, but without `jobs`.
            log: Takes what Sphinx says.
        """
        task = {**task, "jobs": self.each}
        output = task["output"]
        worker = self._kept.get(output)
        if worker is None or worker.task != task:
            self._close(output)
            worker = self._kept[output] = Worker(task, log)
        status = worker.build()
        if status != BUILT:  # what it has in memory may be wrong, and it would not warn again
            self._close(output)
        return status

    def _close(self, output: str) -> None:
        if worker := self._kept.pop(output, None):
            worker.close()
