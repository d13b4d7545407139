"""A build of the same is known to be done; whatever changes a page makes it begin again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from polybook.pipeline.inputs import read_inputs
from polybook.pipeline.units import DATA_VARIABLE

FILES = {
    "_toc.yml": "format: jb-book\nroot: index\n",
    "index.md": "# Title\n\n![Alt](plot.svg)\n",
    "outputs/pytorch/index.json": "{}",
}


@pytest.fixture
def built(write_book, tmp_path, monkeypatch):
    """A book that has been built, and reads the data file `corpus.txt`."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "corpus.txt").write_text("a")
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "data"))
    root = write_book(FILES)
    read_inputs(root, []).note_built(["corpus.txt", "absent.txt"])
    return root


def is_built(root: Path, *languages: str) -> bool:
    return read_inputs(root, languages).were_built()


def test_nothing_was_built_at_first(write_book):
    assert not is_built(write_book(FILES))


def test_the_same_is_built(built):
    assert is_built(built)


@pytest.mark.parametrize("name", ["_config.yml", "index.md", "plot.svg", "outputs/pytorch/index.json"])
def test_a_changed_or_new_file_is_built_again(built, name):
    with (built / name).open("a") as file:
        file.write("\n")
    assert not is_built(built)


def test_a_page_that_is_gone_is_built_again(write_book):
    root = write_book(FILES)
    page = root / "_build/html/en/index.html"
    page.parent.mkdir(parents=True)
    page.write_text("A page.")
    read_inputs(root, []).note_built([])
    assert is_built(root)
    page.unlink()
    assert not is_built(root)


def test_a_file_that_is_gone_is_missed(built):
    (built / "index.md").unlink()
    assert not is_built(built)


def test_a_renamed_file_is_another_one(built):
    (built / "index.md").rename(built / "intro.md")
    assert not is_built(built)


@pytest.mark.parametrize(
    "name", ["_build/en/html/index.html", ".git/HEAD", "venv/lib/x.py", "__pycache__/x.pyc"]
)
def test_what_is_no_source_does_not_matter(built, name):
    if name.startswith("venv"):
        (built / "venv").mkdir()
        (built / "venv" / "pyvenv.cfg").touch()
        read_inputs(built, []).note_built([])
    (built / name).parent.mkdir(parents=True, exist_ok=True)
    (built / name).write_text("x")
    assert is_built(built)


def test_other_languages_are_built(built):
    assert not is_built(built, "en")


@pytest.mark.parametrize(("name", "text"), [("corpus.txt", "b"), ("absent.txt", "a")])
def test_data_files_outside_the_book_matter(built, tmp_path, name, text):
    (tmp_path / "data" / name).write_text(text)
    assert not is_built(built)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"data": 1}'])
def test_a_broken_stamp_is_no_stamp(built, text):
    (built / "_build" / "built.json").write_text(text)
    assert not is_built(built)


def test_what_is_forgotten_is_built(built):
    read_inputs(built, []).forget_built()
    assert not is_built(built)
    shutil.rmtree(built / "_build")
    read_inputs(built, []).forget_built()
