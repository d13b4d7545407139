"""What the book's tests share: the book, the command line, the site, the browser."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from polybook.pipeline.book import Book, load_book

ROOT = Path(__file__).parents[1]
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
#: What only authors write; no reader is to see any of it.
DIALECT = (
    ":numref:",
    ":eqref:",
    ":label:",
    ":eqlabel:",
    ":cite:",
    ":citet:",
    ":citep:",
    ":width:",
    ":begin_tab:",
    ":end_tab:",
    ":bibliography:",
    "#@tab",
    "%%tab",
    "#@save",
    "{.python",
    "tab.selected",
    "tab.interact_select",
)


@pytest.fixture(scope="session")
def book() -> Book:
    return load_book(ROOT)


@pytest.fixture(scope="session")
def polybook() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs `polybook` with some arguments for this book."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "polybook", *arguments, "--book", str(ROOT)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return run


@pytest.fixture(scope="session")
def find_dialect() -> Callable[[str], list[str]]:
    """Gives the marks of the dialect that are in a text."""
    return lambda text: [mark for mark in DIALECT if mark in text]


@pytest.fixture(scope="session")
def site(polybook) -> Path:
    """The folder of the site, built from the chapters as they are."""
    built = polybook("build")
    assert built.returncode == 0, built.stdout + built.stderr
    return ROOT / "_build" / "html"


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    """One Chromium; for a module, as two of Playwright's drivers cannot run at once."""
    playwright = pytest.importorskip("playwright.sync_api")
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("there is no Chromium")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=path, args=list(FLAGS))
        yield chromium
        chromium.close()
