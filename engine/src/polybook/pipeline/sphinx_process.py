"""The process that builds one language; it reads its task from standard input.

A process of its own, because Jupyter Book patches docutils' tables for the time of a build and two
languages in one process would see each other's.
"""

from __future__ import annotations

import gc
import json
import sys
import traceback
from typing import Any, TextIO

#: Exit status of a build whose pages are all there, with warnings about some.
WARNED = 1
#: Exit status of a build that came to no end.
FAILED = 3


def main(stream: TextIO) -> int:
    """Build what the task on `stream` describes and return the exit status."""
    from jupyter_book.sphinx import build_sphinx  # takes a second, and the parent needs the statuses only
    from sphinx.util.console import nocolor

    task: dict[str, Any] = json.load(stream)
    nocolor()
    gc.set_threshold(100_000, 50, 1000)  # doctrees are many small objects that live long
    result = build_sphinx(
        task["source"],
        task["output"],
        noconfig=True,
        confoverrides={**task["settings"], "latex_individualpages": False},
        warningiserror=True,
        keep_going=True,
        jobs=task["jobs"],
    )
    if isinstance(result, BaseException):
        traceback.print_exception(result)
        return FAILED
    return WARNED if result else 0


if __name__ == "__main__":
    sys.exit(main(sys.stdin))
