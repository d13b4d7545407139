"""Values that were worked out from texts, kept in a file: the same texts need no work the next time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from .files import write_if_changed


class Memo:
    """Remembers values by the texts they follow from; lost or damaged, it only costs time.

    Args:
        path: The file that keeps them.
        context: All else that the values depend on; with another context, nothing is known.
    """

    def __init__(self, path: Path, context: str) -> None:
        self._path = path
        self._context = context.encode(errors="surrogatepass")
        self._known: dict[str, Any] = self._read()
        self._used: dict[str, Any] = {}

    def value(self, question: str, texts: Sequence[str], make: Callable[[], Any]) -> Any:
        """Return what `make` returns for these texts, as JSON has it.

        Args:
            question: What is asked about the texts.
            texts: All that the answer depends on, beside the context.
            make: Works the answer out; all lists, dictionaries, numbers and texts.
        """
        asked = json.dumps([question, *texts], ensure_ascii=False).encode(errors="surrogatepass")
        key = hashlib.sha256(asked).hexdigest()
        if key not in self._used:
            self._used[key] = self._known[key] if key in self._known else make()
        return self._used[key]

    def keep(self) -> None:
        """Write what has been asked for since this was made, and forget the rest; a full disk is no fault."""
        if self._used.keys() != self._known.keys():
            body = json.dumps(self._used).encode()
            with suppress(OSError):
                write_if_changed(self._path, self._digest(body) + b"\n" + body)
            self._known = dict(self._used)

    def _read(self) -> dict[str, Any]:
        try:
            digest, _, body = self._path.read_bytes().partition(b"\n")
        except OSError:
            return {}
        return dict(json.loads(body)) if digest == self._digest(body) else {}

    def _digest(self, body: bytes) -> bytes:
        return hashlib.sha256(self._context + b"\0" + body).hexdigest().encode()
