"""What a site was built from, so that a build of the same is known to be done without doing it.

The site itself is looked at, too: what has been removed or touched since then is built again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

from ..data import digest_data
from .files import digest_files, digest_listing, digest_program, write_if_changed
from .units import BUILD_FOLDER, outside_roots

_STAMP = "built.json"
_NO_SOURCES = frozenset({BUILD_FOLDER, "__pycache__", "node_modules"})
#: Marks a virtual environment.
_ENVIRONMENT = "pyvenv.cfg"
#: What renders pages beside polybook itself.
_RENDERERS = ("jupyter-book", "myst-nb", "sphinx", "sphinx-book-theme", "sphinx-design", "pybtex")


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything a site is made of, before it is made."""

    #: The folder with `_config.yml`.
    root: Path
    #: Tags of the languages to build.
    languages: Sequence[str]
    #: The digest of each file in the book's folder.
    files: Mapping[Path, str]

    @property
    def digest(self) -> str:
        """The digest of the book's folder and of what renders it."""
        return self.digest_without(())

    def digest_without(self, paths: Collection[Path]) -> str:
        """Return the digest of all but some files."""
        files = [f"{path} {digest}" for path, digest in self.files.items() if path not in paths]
        return hashlib.sha256("\0".join([_renderers(), *files]).encode(errors="surrogateescape")).hexdigest()

    def were_built(self) -> bool:
        """Return whether the last build was of the same and found nothing wrong."""
        try:
            stamp = json.loads(_stamp(self.root).read_bytes())
            data = dict(stamp["data"])
            return bool(stamp == self._stamp(data)) and digest_outside(data) == data
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def forget_built(self) -> None:
        """Forget the last build: another begins."""
        _stamp(self.root).unlink(missing_ok=True)

    def note_built(self, data: Iterable[str]) -> None:
        """Remember that the site was built of these and of data files with these names."""
        write_if_changed(_stamp(self.root), json.dumps(self._stamp(digest_outside(data))))

    def _stamp(self, data: Mapping[str, str | None]) -> dict[str, object]:
        site = digest_listing(self.root / BUILD_FOLDER / "html")
        return {
            "digest": self.digest,
            "languages": list(self.languages),
            "data": dict(data),
            "site": site,
        }


def read_inputs(root: Path, languages: Sequence[str]) -> Inputs:
    """Return what the site of the book at `root` would be built from now."""
    return Inputs(
        root, languages, {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in _files(root)}
    )


def digest_source(folder: Path, settings: Mapping[str, object]) -> str:
    """Return the digest of all that the pages of one language are rendered from."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return digest_files(files, json.dumps(settings, sort_keys=True), _renderers())


@cache
def _renderers() -> str:
    """Return the digest of the programs that make pages."""
    return " ".join((digest_program(), *(f"{name} {version(name)}" for name in _RENDERERS)))


def _stamp(root: Path) -> Path:
    return root / BUILD_FOLDER / _STAMP


def _files(root: Path) -> Iterator[Path]:
    """Yield the files of a book: all in its folder but hidden ones, environments and what is built."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(
            name
            for name in folders
            if name not in _NO_SOURCES
            and not name.startswith(".")
            and not Path(folder, name, _ENVIRONMENT).exists()
        )
        yield from (Path(folder, name) for name in sorted(names) if not name.startswith("."))


def digest_outside(names: Iterable[str]) -> dict[str, str | None]:
    """Return the digest of each data file outside the book, `None` for one that is not there."""
    wanted = sorted(set(names))
    found = digest_data(wanted, outside_roots())
    return {name: found.get(name) for name in wanted}
