"""The process that builds one language: it reads a task, and builds at each further line of its input.

A process of its own, because Jupyter Book patches docutils' tables for the time of a build and two
languages in one process would see each other's. A second build is quick: everything is loaded, and
Sphinx reads only the pages that changed.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import traceback
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from sphinx.application import Sphinx

#: What is answered after a build: all is well.
BUILT = 0
#: The pages are all there, with warnings about some.
WARNED = 1
#: The build came to no end.
FAILED = 3


def main(tasks: TextIO, answers: TextIO, log: TextIO) -> None:
    """Build what the first line of `tasks` describes, and again for each line after it.

    A line of `answers` tells how each build went, the text of `log` what Sphinx said of the last one.
    """
    from sphinx.util.docutils import docutils_namespace, patch_docutils  # takes a second, with all it needs

    gc.set_threshold(100_000, 50, 1000)  # doctrees are many small objects that live long
    first = tasks.readline()
    with patch_docutils(None), docutils_namespace():
        app: Sphinx | None = None
        while first or tasks.readline():
            log.seek(0)
            log.truncate()
            try:
                app = app or _application(json.loads(first), log)
                status = _build(app)
            except Exception as error:  # extensions may raise anything; the log tells
                traceback.print_exception(error, file=log)
                status = FAILED
            log.flush()
            print(status, file=answers, flush=True)
            first = ""


def _application(task: dict[str, Any], log: TextIO) -> Sphinx:
    """Return Sphinx, set up as Jupyter Book does it."""
    from jupyter_book.config import get_final_config
    from sphinx.application import Sphinx
    from sphinx.util.console import nocolor

    nocolor()
    settings = {**task["settings"], "latex_individualpages": False}
    config, _ = get_final_config(sourcedir=None, user_yaml=None, cli_config=settings)
    return Sphinx(
        srcdir=task["source"],
        confdir=None,
        outdir=task["output"],
        doctreedir=task["doctrees"],
        buildername="html",
        confoverrides=config,
        status=log,
        warning=log,
        warningiserror=True,
        parallel=task["jobs"],
        keep_going=True,
    )


def _build(app: Sphinx) -> int:
    app._warncount = 0  # it counts for the life of the application
    app.statuscode = BUILT
    app.build()
    return WARNED if app.statuscode else BUILT


if __name__ == "__main__":
    with os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8") as own:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # extensions may print; that belongs to the log
        main(sys.stdin, own, sys.stderr)
