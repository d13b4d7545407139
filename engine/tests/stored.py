"""What a page shows of the choices that an earlier page stored."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page


def assert_stored(look: Callable[[], Any], expected: Any) -> None:
    """Assert that `look`, which opens a page, returns `expected` within ten seconds.

    Chromium gives each page from a folder a process of its own and passes on what one of them stores without
    haste: a page opened a tenth of a second later may not know it yet.
    """
    deadline = time.monotonic() + 10
    while (seen := look()) != expected and time.monotonic() < deadline:
        pass
    assert seen == expected


def led_to(tab: Page, root: Path, tags: Iterable[str]) -> str:
    """Open the root page of a site and return the language that it leads on to, one of `tags`."""
    tab.goto(root.as_uri())
    tab.wait_for_url(re.compile(rf"/({'|'.join(tags)})/index\.html$"))
    return Path(tab.url).parent.name
