"""What several tests share: the books they build, and the golden files they compare with."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

TESTS = Path(__file__).parent

# A shell that starts the tests in the background has them ignore Ctrl-C, which some of them send.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="write the golden files instead of comparing"
    )


@pytest.fixture
def copy_book(tmp_path: Path) -> Callable[[str], Path]:
    """Gives a copy of one of the books in `books/`, to be built and changed."""

    def copy(name: str) -> Path:
        return Path(shutil.copytree(TESTS / "books" / name, tmp_path / "book"))

    return copy


@pytest.fixture
def write_book(tmp_path: Path) -> Callable[[dict[str, str]], Path]:
    """Gives a new book with these files; without `_config.yml` it is in English and for PyTorch."""

    def write(files: dict[str, str]) -> Path:
        config = "polybook: {languages: {en: .}, frameworks: [pytorch]}\n"
        for name, text in ({"_config.yml": config} | files).items():
            path = tmp_path / "book" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        return tmp_path / "book"

    return write


@pytest.fixture
def same_as_golden(request: pytest.FixtureRequest) -> Callable[[Path, dict[str, str]], None]:
    """Compares texts with the files of a folder below `golden/`, or writes them there."""

    def compare(folder: str, texts: dict[str, str]) -> None:
        golden = TESTS / "golden" / folder
        if request.config.getoption("--update-golden"):
            shutil.rmtree(golden, ignore_errors=True)
            for name, text in texts.items():
                (golden / name).parent.mkdir(parents=True, exist_ok=True)
                (golden / name).write_bytes(text.encode())
        files = {path for path in golden.rglob("*") if path.is_file()}
        assert sorted(texts) == sorted(path.relative_to(golden).as_posix() for path in files)
        for name, text in texts.items():
            assert text == (golden / name).read_text(encoding="utf-8"), name

    return compare
