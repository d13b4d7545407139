"""Serving the site on this machine, built again whenever a chapter changes."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterable, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

from rich.console import Console
from watchfiles import DefaultFilter, watch

from ..diagnostics import SYNTAX, Code, Diagnostic
from ..errors import PolybookError, UsageError
from .book import Book, load_book
from .build import build_site
from .inputs import read_inputs
from .kept import text_of
from .live import Live, LiveHandler
from .progress import Progress
from .surroundings import kept_of
from .units import BUILD_FOLDER
from .workers import Workers

#: Languages that are built at once.
_JOBS = 2


class _Sources(DefaultFilter):
    """Passes on changes of what a book is made of, and not of what is built from it."""

    ignore_dirs = (*DefaultFilter.ignore_dirs, BUILD_FOLDER, ".venvs")


def serve(root: Path, port: int, console: Console) -> None:
    """Build the book at `root`, serve it on 127.0.0.1 and build it again on every change; never returns.

    What is wrong with the book is printed and stands on the pages that a browser shows; the site stays as
    it was until that is mended.

    Raises:
        UsageError: The port is taken.
    """
    folder = root / BUILD_FOLDER / "html"
    folder.mkdir(parents=True, exist_ok=True)
    live = Live()
    handler = functools.partial(LiveHandler, live=live, directory=str(folder))
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        what = f"The port {port} cannot be used: {error.strerror}."
        raise UsageError(
            Diagnostic("polybook", 0, Code.BAD_USAGE, what, "Choose another: `--port`.")
        ) from error
    changed = threading.Event()
    good: dict[str, str] = {}
    with server, Workers(_JOBS, _JOBS) as workers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        threading.Thread(target=_notice_changes, args=(root, changed), daemon=True).start()
        console.print(f"Serving http://127.0.0.1:{server.server_port}/ (Ctrl-C ends it)")
        while True:
            _print(rebuild(root, live, workers, changed, good), console)
            changed.wait()
            changed.clear()


def _notice_changes(root: Path, changed: threading.Event) -> None:
    """Set `changed` whenever a source of the book changes, also while it is being built."""
    for _ in watch(root, watch_filter=_Sources(), raise_interrupt=False, debounce=50, step=20):
        changed.set()


def rebuild(
    root: Path, live: Live, workers: Workers, changed: threading.Event, good: dict[str, str]
) -> list[Diagnostic]:
    """Build the languages that a browser shows, then the others, and return what is wrong with the book.

    Args:
        root: The book.
        live: Tells the browsers.
        workers: The processes to use.
        changed: Is set when the book has changed again; what is left is then for the next call.
        good: The last text of each chapter that had no error of syntax, by its path; a chapter that has
            one keeps the pages of that text. It is brought up to date.
    """
    try:
        inputs = read_inputs(root, ())
        book = load_book(root)
        kept = kept_of(book, inputs)
        found = book.check(kept)
        broken = {one.path for one in found if one.code in SYNTAX}
        if broken & good.keys():
            book = load_book(root, {path: text for path, text in good.items() if path in broken})
            kept = kept_of(book, inputs)
            found = [one for one in found if one.path in broken]  # others may only follow from these
        good |= {path: text for path, text in _texts(book) if path not in broken}
        shown = [tag for tag in book.config.languages if tag in live.open_languages()]
        others = [tag for tag in book.config.languages if tag not in shown]
        for languages in filter(None, (shown, others)):
            with Progress("Building the site", len(languages)) as progress:
                found = list(dict.fromkeys(found + build_site(book, languages, progress, workers, kept)))
            live.tell([str(one) for one in found if not one.is_note])
            if changed.is_set():
                break
    except PolybookError as error:
        found = list(error.diagnostics)
        live.tell([str(one) for one in found])
    return found


def _texts(book: Book) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of each chapter."""
    for chapters in book.translated.values():
        for chapter in chapters.values():
            yield chapter.document.path, text_of(chapter)


def _print(found: Iterable[Diagnostic], console: Console) -> None:
    for diagnostic in found:
        console.print(str(diagnostic), highlight=False, markup=False, soft_wrap=True)
    console.print("Built.")
