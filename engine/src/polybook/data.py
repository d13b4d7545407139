"""Data files that chapters read, known by their content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any


def digest_data(names: Iterable[str], roots: Sequence[Path]) -> dict[str, str | None]:
    """Return the SHA-1 of data files by their names, `None` for a file that lies in none of the folders."""
    digests: dict[str, str | None] = {}
    for name in sorted(set(names)):
        path = next((root / name for root in roots if (root / name).is_file()), None)
        digests[name] = _digest(path) if path else None
    return digests


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, _sha1).hexdigest()


def _sha1() -> Any:
    return hashlib.sha1(usedforsecurity=False)
