"""The library as a wheel, which notebooks away from the book install.

`pyproject.toml` says how it is built; its backend must be installed beside polybook. What was built is kept
below `_build/wheel/` until the library changes.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ..diagnostics import Code, Diagnostic
from ..errors import RenderError
from .book import Book
from .files import write_if_changed
from .units import BUILD_FOLDER

PROJECT_FILE = "pyproject.toml"
#: What else goes into a distribution.
_PAPERS = ("LICENSE*", "README*")
#: 1 January 1980, the first day that a zip file knows: equal libraries make equal wheels.
_DATE = {"SOURCE_DATE_EPOCH": "315532800"}


def find_wheel(book: Book) -> Path | None:
    """Return the wheel of the book's library, built if need be; `None` for a book that has none.

    Raises:
        RenderError: The book says how to build one, and it cannot be built.
    """
    if book.config.library is None or not (book.root / PROJECT_FILE).is_file():
        return None
    folder = book.root / BUILD_FOLDER / "wheel" / _digest(book.root, book.config.library)
    if built := next(folder.glob("*.whl"), None):
        return built
    name, content = _build_wheel(book.root)
    write_if_changed(folder / name, content)
    return folder / name


def _build_wheel(root: Path) -> tuple[str, bytes]:
    """Return the name and the content of a new wheel."""
    from build import BuildBackendException, BuildException, ProjectBuilder  # slow to import

    with tempfile.TemporaryDirectory(prefix="polybook-") as scratch:
        try:
            wheel = Path(ProjectBuilder(root, runner=_run_backend).build("wheel", scratch))
        except (BuildException, BuildBackendException) as error:
            reason = str(error).strip().partition("\n")[0].rstrip(".")
            what = f"The library cannot be packed: {reason}."
            advice = "`python -m build --wheel` says why."
            raise RenderError(Diagnostic(PROJECT_FILE, 0, Code.RENDERING, what, advice)) from error
        return wheel.name, wheel.read_bytes()


def _run_backend(
    cmd: Sequence[str], cwd: str | None = None, extra_environ: Mapping[str, str] | None = None
) -> None:
    from pyproject_hooks import quiet_subprocess_runner

    quiet_subprocess_runner(cmd, cwd, {**(extra_environ or {}), **_DATE})


def _digest(root: Path, library: str) -> str:
    """Return a digest of all that goes into the wheel."""
    digest = hashlib.sha256()
    for path in sorted(_files(root, library)):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


def _files(root: Path, library: str) -> Iterator[Path]:
    yield root / PROJECT_FILE
    for pattern in _PAPERS:
        yield from root.glob(pattern)
    yield from (path for path in (root / library).rglob("*") if path.is_file() and path.suffix != ".pyc")
