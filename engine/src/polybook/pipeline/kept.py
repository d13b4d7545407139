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
        key = hashlib.sha256("\0".join([self._surroundings, *parts]).encode()).digest()
        path = self._folder / name
        try:
            content = path.read_bytes()
            if content.startswith(key):
                kept: _Made = pickle.loads(content[len(key) :])  # noqa: S301  # we wrote it
                return kept
        except (OSError, pickle.UnpicklingError, EOFError):  # there is none, or it is broken
            pass
        made = make()
        if lasts(made):
            write_if_changed(path, key + pickle.dumps(made))
        return made


def text_of(chapter: Chapter) -> str:
    """Return a chapter's own text, the part of it that nothing else says."""
    return write(chapter.document.blocks)
