"""Knowing files by their content, and writing them so that nothing is touched that did not change."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]


def write_if_changed(path: Path, content: str | bytes) -> bool:
    """Write a file unless it has this content already; return whether it was written.

    The file is replaced in one step, so a reader sees the old one or the new one.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    try:
        if path.read_bytes() == data:
            return False
    except OSError:
        pass
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_bytes(data)
    beside.replace(path)
    return True


def write_tree(folder: Path, files: Mapping[str, str | bytes | Path]) -> list[str]:
    """Make a folder hold exactly these files; return the names of those that were written.

    Args:
        folder: The folder; files in it that are not named are removed.
        files: Contents, or files to copy, by their paths relative to the folder.
    """
    written = []
    for name, content in files.items():
        data = content.read_bytes() if isinstance(content, Path) else content
        if write_if_changed(folder / name, data):
            written.append(name)
    wanted = {folder / name for name in files}
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif path not in wanted:
            path.unlink()
    return written


def digest_files(paths: Iterable[Path], *texts: str) -> str:
    """Return the digest of the names and contents of files, and of texts beside them."""
    digest = hashlib.sha256("\0".join(texts).encode())
    for path in paths:
        digest.update(f"\0{path}\0".encode(errors="surrogateescape"))
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def digest_listing(folder: Path) -> str:
    """Return a digest of the names, sizes and times of the files below a folder, which are not read."""
    entries = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        status = path.stat()
        entries.append(f"{path.relative_to(folder).as_posix()} {status.st_size} {status.st_mtime_ns}")
    return hashlib.sha256("\n".join(entries).encode(errors="surrogateescape")).hexdigest()


@cache
def digest_program() -> str:
    """Return the digest of polybook itself."""
    return digest_files(sorted(path for path in _PACKAGE.rglob("*.*") if path.suffix != ".pyc"))
