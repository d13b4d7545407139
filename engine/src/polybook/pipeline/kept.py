"""What is made of each chapter, kept on disk until something that it is made of changes."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from ..model import write
from ..references import Chapter
from .files import write_if_changed

_Made = TypeVar("_Made")

_DIGEST_SIZE = hashlib.sha256().digest_size


class Kept:
    """Values by their names, each with a key of what it was made of.

    Args:
        folder: Where they are kept; nowhere if it is `None`.
        surroundings: What all of them are made of.
    """

    def __init__(self, folder: Path | None = None, surroundings: str = "") -> None:
        self._folder = folder
        self._surroundings = surroundings

    def get(
        self,
        name: str,
        parts: Sequence[str],
        make: Callable[[], _Made],
        lasts: Callable[[_Made], bool] = lambda made: True,
    ) -> _Made:
        """Return a value, made anew unless it is kept.

        Args:
            name: Its name, with `/` between folders.
            parts: What it is made of besides the surroundings.
            make: Makes it.
            lasts: Whether it may be kept.
        """
        if self._folder is None:
            return make()
        key = "\0".join([self._surroundings, *parts]).encode()
        path = self._folder / name
        content = memoryview(_read(path))  # may be large; a view copies nothing
        digest, body = content[:_DIGEST_SIZE], content[_DIGEST_SIZE:]
        if digest == _digest(key, body):
            kept: _Made = pickle.loads(body)  # noqa: S301  # whole, and ours
            return kept
        made = make()
        if lasts(made):
            new = pickle.dumps(made)
            write_if_changed(path, _digest(key, new) + new)
        return made


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _digest(key: bytes, body: bytes | memoryview) -> bytes:
    """Return a digest that says what a value was made of, and that it is whole."""
    digest = hashlib.sha256(hashlib.sha256(key).digest())
    digest.update(body)
    return digest.digest()


def text_of(chapter: Chapter) -> str:
    """Return a chapter's own text, the part of it that nothing else says."""
    return write(chapter.document.blocks)
