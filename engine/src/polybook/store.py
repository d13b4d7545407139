"""The results of runs on disk: `outputs/<framework>/<chapter>.json` and the chapter's plots beside it."""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import RawIOBase
from pathlib import Path, PurePosixPath

from .diagnostics import Code, Diagnostic
from .errors import ExecutionError
from .outputs import BrokenRecordError, Record, from_files, is_plot_name, to_files

_LOCK = ".lock"
#: What the folders of saves that are under way are called.
_SAVING = ".saving-"


class Store:
    """Keeps one record for each framework and chapter.

    A save that is cut off at any moment leaves the old record or the new one, whole. Of two saves of one
    record at the same time one may be lost, which `load` notices, so whoever saves holds the `lock`.

    Args:
        root: The folder of the results, `outputs` in the book's folder; it need not exist.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def has(self, framework: str, chapter: str) -> bool:
        """Return whether there is a record, whole or broken."""
        return self._place(framework, chapter).exists()

    def names(self) -> Iterator[tuple[str, str]]:
        """Yield the framework and the chapter of each record, whole or broken."""
        for place in self.root.glob("*/**/*.json"):
            framework, _, name = place.relative_to(self.root).as_posix().partition("/")
            if not framework.startswith("."):
                yield framework, name.removesuffix(".json")

    def load(self, framework: str, chapter: str, report: Callable[[Diagnostic], object]) -> Record | None:
        """Return a record, or `None` where there is none or it is broken.

        Args:
            framework: The framework's name in tab marks.
            chapter: The chapter's path without suffix, with `/`.
            report: Takes the finding about a broken record; `list.append` will do.
        """
        if not self.has(framework, chapter):
            return None
        try:
            return from_files(chapter, lambda name: (self.root / framework / name).read_bytes())
        except BrokenRecordError as error:
            report(self._broken(framework, chapter, str(error)))
        except OSError as error:
            name = Path(error.filename or self._place(framework, chapter)).name
            report(self._broken(framework, chapter, f"{name} cannot be read ({error.strerror})"))
        return None

    def save(self, framework: str, record: Record) -> None:
        """Put a record in the place of the one before it, if any.

        The plots go first and under names of their own, then the JSON file, which is what makes the record
        the valid one; then the plots that it no longer names go.
        """
        files = self._files(framework, record)
        plots = _find_plots(self._place(framework, record.chapter).with_suffix(""))
        _replace_files(files, plots - files.keys(), self.root)

    def remove(self, framework: str, chapter: str) -> None:
        """Remove a record, if there is one, whole or broken."""
        place = self._place(framework, chapter)
        place.unlink(missing_ok=True)
        for plot in _find_plots(place.with_suffix("")):
            plot.unlink(missing_ok=True)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep every other polybook from saving while the block runs.

        The operating system holds the lock, so it vanishes with the process, however that ends.

        Raises:
            ExecutionError: Another process has it.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        path = self.root / _LOCK
        with _locked(path) as file:
            with suppress(OSError):  # the disk may be full; the lock holds without its holder's name
                file.truncate(0)
                file.write(f"process {os.getpid()} on {platform.node()}".encode())
            try:
                yield
            finally:
                path.unlink(missing_ok=True)
                with suppress(OSError):  # it is no empty folder
                    self.root.rmdir()

    def tidy(self) -> None:
        """Sweep if a process that is gone has left anything, and nobody else is at work."""
        if (self.root / _LOCK).exists() or any(self.root.glob(f"{_SAVING}*")):
            with suppress(ExecutionError, OSError), self.lock():
                self.sweep()

    def sweep(self) -> None:
        """Remove what saves that were cut off have left; for the holder of the lock alone."""
        left = list(self.root.glob(f"{_SAVING}*"))
        if not left:
            return
        for framework, chapter in self.names():
            record = self.load(framework, chapter, lambda _: None)
            if record is not None:
                plots = _find_plots(self._place(framework, chapter).with_suffix(""))
                for plot in plots - self._files(framework, record).keys():
                    plot.unlink(missing_ok=True)
        for folder in left:
            shutil.rmtree(folder)

    def _files(self, framework: str, record: Record) -> dict[Path, bytes]:
        """Return a record's files by their paths, the JSON file last."""
        self._place(framework, record.chapter)
        return {self.root / framework / name: content for name, content in to_files(record).items()}

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


@contextmanager
def _locked(path: Path) -> Iterator[RawIOBase]:
    """Open a file and lock it; whoever had it before may have removed it since it was opened."""
    while True:
        with path.open("a+b", buffering=0) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                file.seek(0)
                raise ExecutionError(_in_use(path, file.read().decode())) from error
            if _is_named(path, file.fileno()):
                yield file
                return


def _is_named(path: Path, descriptor: int) -> bool:
    """Return whether an open file still is the one at a path."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _in_use(path: Path, holder: str) -> Diagnostic:
    who = f"Another polybook ({holder})" if holder else "Another polybook"
    return Diagnostic(
        path=path.parent.name,
        line=0,
        code=Code.STORE_IN_USE,
        what=f"{who} is running code of this book.",
        advice="Wait until it has finished, or stop it.",
    )


def _find_plots(folder: Path) -> set[Path]:
    """Return the files of a chapter's folder that a record put there."""
    if not folder.is_dir():
        return set()
    return {path for path in folder.iterdir() if is_plot_name(path.name) and path.is_file()}


def _replace_files(files: dict[Path, bytes], outdated: set[Path], root: Path) -> None:
    """Write files in the order given, each whole or not at all, and remove those that are outdated.

    A file that is as it should be stays. While this goes on there is a folder that says so.
    """
    changed = {path: content for path, content in files.items() if not _holds(path, content)}
    if not changed and not outdated:
        return
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=_SAVING, dir=root) as folder:
        written = {path: Path(folder) / str(number) for number, path in enumerate(changed)}
        for path, beside in written.items():
            _write_through(beside, changed[path])
        for path, beside in written.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            beside.replace(path)
            _sync_folder(path.parent)
        for path in outdated:
            path.unlink(missing_ok=True)


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
