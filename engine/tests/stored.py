"""What a page shows of the choices that an earlier page stored."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def assert_stored(look: Callable[[], Any], expected: Any) -> None:
    """Assert that `look`, which opens a page, returns `expected` within ten seconds.

    Chromium gives each page from a folder a process of its own and passes on what one of them stores without
    haste: a page opened a tenth of a second later may not know it yet.
    """
    deadline = time.monotonic() + 10
    while (seen := look()) != expected and time.monotonic() < deadline:
        pass
    assert seen == expected
