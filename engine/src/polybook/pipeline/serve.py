"""Serving the site on this machine, built again whenever a chapter changes."""

from __future__ import annotations

import functools
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from rich.console import Console
from watchfiles import DefaultFilter, watch

from ..diagnostics import Code, Diagnostic
from ..errors import PolybookError, UsageError
from .book import load_book
from .build import build_site
from .progress import Progress
from .units import BUILD_FOLDER


class _QuietHandler(SimpleHTTPRequestHandler):
    """Serves files without a line for each."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


class _Sources(DefaultFilter):
    """Passes on changes of what a book is made of, and not of what is built from it."""

    ignore_dirs = (*DefaultFilter.ignore_dirs, BUILD_FOLDER, ".venvs")


def serve(root: Path, port: int, console: Console) -> None:
    """Build the book at `root`, serve it on 127.0.0.1 and build it again on every change; never returns.

    An error in the book is printed; the site stays as it was until the error is mended.

    Raises:
        UsageError: The port is taken.
    """
    folder = root / BUILD_FOLDER / "html"
    folder.mkdir(parents=True, exist_ok=True)
    handler = functools.partial(_QuietHandler, directory=str(folder))
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        what = f"The port {port} cannot be used: {error.strerror}."
        raise UsageError(
            Diagnostic("polybook", 0, Code.BAD_USAGE, what, "Choose another: `--port`.")
        ) from error
    changed = threading.Event()
    with server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        threading.Thread(target=_notice_changes, args=(root, changed), daemon=True).start()
        console.print(f"Serving http://127.0.0.1:{server.server_port}/ (Ctrl-C ends it)")
        while True:
            _rebuild(root, console)
            changed.wait()
            changed.clear()


def _notice_changes(root: Path, changed: threading.Event) -> None:
    """Set `changed` whenever a source of the book changes, also while it is being built."""
    for _ in watch(root, watch_filter=_Sources(), raise_interrupt=False):
        changed.set()


def _rebuild(root: Path, console: Console) -> None:
    try:
        book = load_book(root)
        with Progress("Building the site", len(book.config.languages)) as progress:
            found = build_site(book, list(book.config.languages), progress)
    except PolybookError as error:
        console.print(str(error), highlight=False, markup=False, soft_wrap=True)
        return
    for diagnostic in [*book.check(), *found]:
        console.print(str(diagnostic), highlight=False, markup=False, soft_wrap=True)
    console.print("Built.")
