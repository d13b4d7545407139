"""Books with errors in them: each is named with its place, and everything else is built.

A case is a folder of `books/bad`, laid over `books/base`; `expected.txt` holds what is printed.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
import pytest

from polybook.cli import main
from polybook.errors import ConfigError
from polybook.pipeline.book import load_book
from polybook.pipeline.build import site_source

BOOKS = Path(__file__).parent / "books"
CASES = sorted(path.name for path in (BOOKS / "bad").iterdir())


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Path:
    return BOOKS / "bad" / request.param


@pytest.fixture
def book(case: Path, tmp_path: Path) -> Path:
    shutil.copytree(BOOKS / "base", tmp_path, dirs_exist_ok=True)
    shutil.copytree(case, tmp_path, dirs_exist_ok=True)
    return tmp_path


def expected(case: Path, printed: str, update: bool) -> str:
    path = case / "expected.txt"
    if update:
        path.write_text(printed, encoding="utf-8")
    return path.read_text(encoding="utf-8")


def test_check_says_what_is_wrong(case, book, capsys, pytestconfig):
    assert main(["check", "--book", str(book)]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == expected(case, printed.err, pytestconfig.getoption("--update-golden"))


def test_the_other_notebooks_are_written_all_the_same(case, book, capsys):
    assert main(["notebooks", "--book", str(book)]) == 1
    assert capsys.readouterr().err == (case / "expected.txt").read_text(encoding="utf-8")
    try:
        loaded = load_book(book)
    except ConfigError:
        return
    for language in loaded.config.languages:
        for framework in ("pytorch", "mxnet"):
            path = book / "_build/notebooks" / language / framework / "good.ipynb"
            nbformat.validate(nbformat.read(path, as_version=4))


def test_the_pages_are_made_all_the_same(book):
    try:
        loaded = load_book(book)
    except ConfigError:
        return
    for language in loaded.config.languages:
        source = site_source(loaded, language)
        for name in [*loaded.shown(language), loaded.toc.root]:
            nbformat.validate(nbformat.reads(source.files[f"{name}.ipynb"], as_version=4))


@pytest.mark.slow
def test_the_site_is_built_all_the_same(tmp_path, capsys):
    """The bad chapters in one book: Sphinx has nothing to say of what `check` has reported."""
    shutil.copytree(BOOKS / "base", tmp_path, dirs_exist_ok=True)
    names = []
    for case in CASES:
        if case == "unclosed_cell":  # prose shown as code, which Sphinx warns of
            continue
        if (BOOKS / "bad" / case / "bad.md").is_file():
            shutil.copytree(BOOKS / "bad" / case, tmp_path / case)
            names.append(f"{case}/bad")
    files = "".join(f"  - file: {name}\n" for name in ["good", *names])
    (tmp_path / "_toc.yml").write_text(f"format: jb-book\nroot: missing\nchapters:\n{files}")
    assert main(["build", "--book", str(tmp_path)]) == 1
    assert " B008 " not in capsys.readouterr().err
    built = tmp_path / "_build/html/en"
    readable = [name for name in names if name != "not_utf8/bad"]
    assert all((built / f"{name}.html").is_file() for name in ["missing", "good", *readable])
