"""The results of runs on disk: `outputs/<framework>/<chapter>.json` and the chapter's plots beside it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from .diagnostics import Code, Diagnostic
from .outputs import BrokenRecordError, Record, from_files, is_plot_name, to_files


class Store:
    """Keeps one record for each framework and chapter.

    A save that is cut off at any moment leaves the old record or the new one, whole. Of two saves of one
    record at the same time one may be lost, which `load` notices; saves of different records are apart.

    Args:
        root: The folder of the results, `outputs` in the book's folder; it need not exist.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def load(self, framework: str, chapter: str, report: Callable[[Diagnostic], object]) -> Record | None:
        """Return a record, or `None` where there is none or it is broken.

        Args:
            framework: The framework's name in tab marks.
            chapter: The chapter's path without suffix, with `/`.
            report: Takes the finding about a broken record; `list.append` will do.
        """
        place = self._place(framework, chapter)
        if not place.exists():
            return None
        try:
            return from_files(chapter, lambda name: (self.root / framework / name).read_bytes())
        except BrokenRecordError as error:
            report(self._broken(framework, chapter, str(error)))
        except OSError as error:
            name = Path(error.filename or place).name
            report(self._broken(framework, chapter, f"{name} cannot be read ({error.strerror})"))
        return None

    def save(self, framework: str, record: Record) -> None:
        """Put a record in the place of the one before it, if any.

        The plots go first and under names of their own, then the JSON file, which is what makes the record
        the valid one; then the plots that it no longer names go.
        """
        place = self._place(framework, record.chapter)
        files = {self.root / framework / name: content for name, content in to_files(record).items()}
        _replace_files(files, self.root)
        for path in _find_plots(place.with_suffix("")):
            if path not in files:
                path.unlink(missing_ok=True)

    def _place(self, framework: str, chapter: str) -> Path:
        """Return the path of a record's JSON file, which lies below the root in any case."""
        for name in (framework, chapter):
            parts = PurePosixPath(name).parts
            if not parts or parts[0] == "/" or ".." in parts or "\\" in name:
                raise ValueError(f"{name!r} cannot be the name of a framework or a chapter")
        return self.root / framework / f"{chapter}.json"

    def _broken(self, framework: str, chapter: str, reason: str) -> Diagnostic:
        return Diagnostic(
            path=f"{self.root.name}/{framework}/{chapter}.json",
            line=0,
            code=Code.BROKEN_RECORD,
            what=f"The stored result is damaged: {reason}.",
            advice="Run `make execute` to have it made again.",
        )


def _find_plots(folder: Path) -> list[Path]:
    """Return the files of a chapter's folder that a record put there."""
    if not folder.is_dir():
        return []
    return [path for path in folder.iterdir() if is_plot_name(path.name) and path.is_file()]


def _replace_files(files: dict[Path, bytes], root: Path) -> None:
    """Write files in the order given, each whole or not at all; a file that is as it should be stays."""
    changed = {path: content for path, content in files.items() if not _holds(path, content)}
    if not changed:
        return
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".saving-", dir=root) as folder:
        written = {path: Path(folder) / str(number) for number, path in enumerate(changed)}
        for path, beside in written.items():
            _write_through(beside, changed[path])
        for path, beside in written.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            beside.replace(path)
            _sync_folder(path.parent)


def _holds(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


def _write_through(path: Path, content: bytes) -> None:
    """Write a file and wait until the disk has it."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Wait until the disk has the names of a folder's files."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
