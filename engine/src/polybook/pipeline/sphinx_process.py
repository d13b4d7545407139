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
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from sphinx.application import Sphinx

#: What is answered after a build: all is well.
BUILT = 0
#: The pages are all there, with warnings about some.
WARNED = 1
#: The build came to no end.
FAILED = 3


#: When garbage is looked for: after so many new objects, which fill half a gigabyte. Doctrees are many small
#: objects that live long, and to look at them more often took a tenth of a build.
_GARBAGE = (4_000_000, 50, 1000)
#: What notebooks would be run with; nothing is ever run here.
_UNUSED = (
    "jupyter_cache",
    "jupyter_cache.base",
    "jupyter_cache.cache.db",
    "jupyter_cache.executors.utils",
    "jupyter_client",
    "jupyter_client.kernelspec",
    "myst_nb.core.execute.inline",
)


#: What extensions load only when they are set up.
_LOADED_LATE = ("myst_nb.sphinx_ext", "sphinx_design.extension", "polybook.site.extension")


def main(tasks: TextIO, answers: TextIO) -> None:
    """Build what the first line of `tasks` describes, and again for each line after it.

    A line of `answers` tells how each build went, the task's `log` what Sphinx said of the last one.
    """
    gc.disable()
    _load()
    gc.freeze()
    gc.set_threshold(*_GARBAGE)
    gc.enable()
    task = json.loads(tasks.readline() or "null")
    if task is not None:
        with Path(task["log"]).open("w", encoding="utf-8") as log:
            for stream in (1, 2):  # extensions may print; that belongs to the log
                os.dup2(log.fileno(), stream)
            _build_on_request(task, log, tasks, answers)


def _load() -> None:
    """Load what every task needs: it takes most of a second, and a task may be a while in coming."""
    with _left_out(_UNUSED):
        from jupyter_book.config import get_default_sphinx_config
        from sphinx.application import builtin_extensions

        defaults = get_default_sphinx_config()  # type: ignore[no-untyped-call]
        for name in (*builtin_extensions, *defaults["extensions"], *_LOADED_LATE):
            import_module(name)


@contextmanager
def _left_out(names: tuple[str, ...]) -> Iterator[None]:
    """Let imports of these modules load nothing, and all that is imported from them be `None`."""
    for name in names:
        module = ModuleType(name)
        module.__getattr__ = lambda attribute: None  # type: ignore[method-assign]
        sys.modules[name] = module
    yield
    for name in names:
        del sys.modules[name]


def _build_on_request(task: dict[str, Any], log: TextIO, tasks: TextIO, answers: TextIO) -> None:
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    with patch_docutils(None), docutils_namespace():
        app: Sphinx | None = None
        is_asked = True
        while is_asked:
            log.seek(0)
            log.truncate()
            try:
                app = app or _application(task, log)
                status = _build(app)
            except Exception as error:  # extensions may raise anything; the log tells
                traceback.print_exception(error, file=log)
                status = FAILED
            log.flush()
            print(status, file=answers, flush=True)
            is_asked = bool(tasks.readline())


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
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        main(sys.stdin, own)
