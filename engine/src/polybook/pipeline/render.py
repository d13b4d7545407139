"""Rendering the site: one Sphinx process per language, then one folder for all of them.

_build/<lang>/source/     what is built, made by `site.pages`
_build/<lang>/html/       what Sphinx writes; its caches and `sphinx.log` lie beside it
_build/html/<lang>/       what readers get
_build/html/mathjax/      the formula renderer, once for all languages
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from ..diagnostics import Code, Diagnostic
from ..errors import RenderError
from ..site import MATHJAX
from .files import digest_listing, write_if_changed, write_tree
from .inputs import digest_source
from .sphinx_process import BUILT, WARNED
from .workers import Workers

#: Gives the place in the book of a line of a page: (page's path, line) to (path, line). MyST-NB counts
#: the lines of a notebook as 10000 for each cell, from 1, and one for each line in it.
Locate = Callable[[str, int], tuple[str, int]]

#: Names what the pages of a language were rendered from.
_STAMP = "rendered"
#: What Sphinx keeps for itself, and what only debuggers read.
_UNPUBLISHED = (".buildinfo", ".map")
_WARNING = re.compile(
    r"^(?:(?P<path>(?:[A-Za-z]:)?[^:\n]+?)(?::(?P<line>\d+))?: )?"
    r"(?:WARNING|ERROR|CRITICAL|SEVERE): (?P<what>.+)$"
)
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def render_language(
    build: Path,
    tag: str,
    settings: Mapping[str, Any],
    workers: Workers,
    locate: Locate | None = None,
) -> Sequence[Diagnostic]:
    """Build one language of a site and put it beside the others in `_build/html`.

    Args:
        build: The `_build` folder; it holds `<tag>/source/`.
        tag: The tag of the language.
        settings: What `sphinx_settings` gives.
        workers: The processes to use.
        locate: Gives the place in the book of a line of a page; without it messages name the pages.

    Returns:
        What Sphinx found. A language that it only warned of is in place; one that it could not build
        stays as it was. One whose last build was of the same and went without a finding is not rendered.
    """
    source, output, stamp = (build / tag / name for name in ("source", "html", _STAMP))
    digest = digest_source(source, settings)
    found: Sequence[Diagnostic] = []
    try:
        if not _holds(stamp, f"{digest} {digest_listing(output)}"):
            stamp.unlink(missing_ok=True)
            found = render(source, output, settings, workers, locate)
        publish(output, build / "html" / tag)
    except RenderError as error:
        return error.diagnostics
    if not found:
        write_if_changed(stamp, f"{digest} {digest_listing(output)}")
    return found


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="ascii") == text


def render(
    source: Path,
    output: Path,
    settings: Mapping[str, Any],
    workers: Workers,
    locate: Locate | None = None,
) -> list[Diagnostic]:
    """Build one language with Jupyter Book in a process of its own.

    Args:
        source: A Jupyter Book source tree with its `_toc.yml`.
        output: The folder for the pages. Its parent takes Sphinx's caches and `sphinx.log`, so every
            language needs another parent.
        settings: What `sphinx_settings` gives.
        workers: The processes to use.
        locate: Gives the place in the book of a line of a page; without it messages name the page.

    Returns:
        A finding for each warning; all pages are there all the same.

    Raises:
        RenderError: Sphinx failed.
    """
    log, caches = output.parent / "sphinx.log", output.parent / ".doctrees"
    task = {
        "source": str(source.resolve()),
        "output": str(output.resolve()),
        "doctrees": str(caches.resolve()),
        "settings": dict(settings),
    }
    status = workers.build(task, log)
    if status == BUILT:
        return []
    # Sphinx would not read again, nor warn again of, the pages it has read.
    (caches / "environment.pickle").unlink(missing_ok=True)
    text = _COLOURS.sub("", log.read_text(encoding="utf-8"))
    found = list(findings(text, source.resolve(), log, locate))
    if status == WARNED and found:
        return found
    raise RenderError(*found, _failure(text, log))


def findings(log: str, source: Path, place: Path, locate: Locate | None = None) -> Iterator[Diagnostic]:
    """Yield a finding for each different warning in the text of a Sphinx log.

    Args:
        log: The text.
        source: The folder that was built.
        place: Where the log is kept, for the advice.
        locate: Gives the place in the book of a line of a page.
    """
    advice = f"Sphinx's whole log is {_shown(place)}."
    for warning in dict.fromkeys(log.splitlines()):
        match = _WARNING.match(warning)
        if match is None:
            continue
        path, line = _place(match["path"] or "", int(match["line"] or 0), source, locate)
        yield Diagnostic(path or _shown(place), line, Code.RENDERING, _sentence(match["what"]), advice)


def _place(path: str, line: int, source: Path, locate: Locate | None) -> tuple[str, int]:
    """Return the place that a warning names, seen from the book if that is known."""
    if not path or not Path(path).is_relative_to(source):
        return path, line
    page = Path(path).relative_to(source).as_posix()
    return locate(page, line) if locate else (page, line)


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?", "]")) else f"{text}."


def _failure(log: str, place: Path) -> Diagnostic:
    """Return the finding for a build that ended without a warning: the last line is the exception's."""
    lines = [line for line in log.splitlines() if line.strip()]
    what = f"Sphinx could not build the pages: {lines[-1] if lines else 'it said nothing'}"
    return Diagnostic(_shown(place), len(lines), Code.RENDERING, _sentence(what), "Read this log.")


def _shown(path: Path) -> str:
    """Return a path as messages show it: relative to where the command runs, if it is below."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def publish(output: Path, folder: Path) -> None:
    """Make `folder` hold the pages that Sphinx wrote, touching only the files that differ."""
    files = (path for path in output.rglob("*") if path.is_file() and not path.name.endswith(_UNPUBLISHED))
    write_tree(folder, {path.relative_to(output).as_posix(): path for path in files})


def write_mathjax(site: Path) -> None:
    """Write the one file of MathJax that a site needs; its fonts are drawn into the formulas."""
    package = distribution("sphinx-mathjax-offline")
    file = Path(str(package.locate_file(f"sphinx-mathjax-offline/static/{MATHJAX}")))
    write_if_changed(site / MATHJAX, file.read_bytes())
