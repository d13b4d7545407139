"""What browsers are told while an author works: that their page was built anew, or what is wrong.

A page that is served gets one more script, `site/static/live.js`, which listens at `EVENTS`. The files
of the site stay as they are.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from http.server import SimpleHTTPRequestHandler
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

EVENTS = "/.polybook/events"
SCRIPT = "/.polybook/live.js"
#: What browsers ask every site for; a book has none, and that is no error.
ICON = "/favicon.ico"
_TAG = f'<script src="{SCRIPT}"></script></body>'.encode()
#: Seconds after which a browser is greeted, which shows whether it is still there.
_GREETING = 10.0


class Live:
    """The state of a site that is built again and again; threads may share it."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._builds = 0
        self._findings: list[str] = []
        self._open: Counter[str] = Counter()

    def tell(self, findings: Sequence[str]) -> None:
        """Say that a build has ended, and what it found wrong."""
        with self._news:
            self._builds += 1
            self._findings = list(findings)
            self._news.notify_all()

    def open_languages(self) -> set[str]:
        """Return the first folders of the pages that browsers show now."""
        with self._news:
            return {page.strip("/").split("/")[0] for page, number in self._open.items() if number}

    def events(self, page: str, file: Path) -> Iterator[str]:
        """Yield what the browser that shows a page is sent, for ever; nothing but a greeting at times.

        Args:
            page: The page's address.
            file: The page itself.
        """
        with self._news:
            self._open[page] += 1
        try:
            seen, digest = -1, _digest(file)
            while True:
                with self._news:
                    is_new = self._news.wait_for(lambda: self._builds != seen, _GREETING)  # noqa: B023
                    seen, findings = self._builds, self._findings
                if not is_new:
                    yield ": here\n\n"
                elif digest == _digest(file):
                    yield f"event: findings\ndata: {json.dumps(findings)}\n\n"
                else:
                    digest = _digest(file)
                    yield "event: built\ndata: \n\n"
        finally:
            with self._news:
                self._open[page] -= 1


class LiveHandler(SimpleHTTPRequestHandler):
    """Serves the site, its pages with the script, and the events; says nothing of it.

    Args:
        live: What the events tell.
    """

    def __init__(self, *args: Any, live: Live, **options: Any) -> None:
        self._live = live
        super().__init__(*args, **options)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def handle(self) -> None:
        """Serve a browser until it is gone, which may be in the middle of a page."""
        with suppress(ConnectionError):
            super().handle()

    def do_GET(self) -> None:
        """Answer a browser."""
        address = urlsplit(self.path)
        file = Path(self.translate_path(self.path))
        if address.path == EVENTS:
            self._stream(parse_qs(address.query).get("page", ["/"])[0])
        elif address.path == ICON:
            self.send_response(204)
            self.end_headers()
        elif address.path == SCRIPT:
            script = (files("polybook.site") / "static" / "live.js").read_bytes()
            self._answer("text/javascript", script)
        elif address.path.endswith(".html") and file.is_file():
            self._answer("text/html; charset=utf-8", file.read_bytes().replace(b"</body>", _TAG))
        else:
            super().do_GET()

    def _stream(self, page: str) -> None:
        self._start("text/event-stream")
        for event in self._live.events(page, Path(self.translate_path(page))):
            try:
                self.wfile.write(event.encode())
            except OSError:  # the browser is gone
                return

    def _answer(self, kind: str, content: bytes) -> None:
        self._start(kind)
        self.wfile.write(content)

    def _start(self, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Cache-Control", "no-store")
        self.end_headers()


def _digest(file: Path) -> bytes:
    try:
        return hashlib.sha256(file.read_bytes()).digest()
    except OSError:
        return b""
