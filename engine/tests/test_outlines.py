"""Finding out what is stale: no more is read than has changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from polybook.pipeline import book as reading
from polybook.pipeline import outlines
from polybook.pipeline.book import load_book
from polybook.pipeline.units import find_units

CONFIG = "polybook: {languages: {en: en, fr: fr}, frameworks: [pytorch, jax], library: {module: d2l}}\n"
CELL = "```{.python .input}\n#@tab all\n"
FILES = {
    "_config.yml": CONFIG,
    "_toc.yml": "format: jb-book\nroot: saving\nchapters: [{file: using}, {file: plain}]\n",
    "saving.md": f"# Saving\n\n{CELL}def f(x):  #@save\n    return x\n```\n",
    "using.md": f"# Using\n\n{CELL}from d2l import torch as d2l\nd2l.f(1)\n```\n",
    "plain.md": f"# Plain\n\nProse.\n\n{CELL}x = 1\n```\n\n"
    "```{.python .input}\n#@tab pytorch\ny\n```\n\n```{.python .input}\n#@tab jax\nz\n```\n",
}


@pytest.fixture
def root(tmp_path):
    for name, text in FILES.items():
        for path in (
            (tmp_path / "en" / name, tmp_path / "fr" / name) if name[0] != "_" else (tmp_path / name,)
        ):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
    find_units(load_book(tmp_path))
    reading._read_document.cache_clear()  # a new process has read nothing yet
    reading._read_chapter.cache_clear()
    return tmp_path


@pytest.fixture
def work(monkeypatch):
    """What has been worked out: parsed files, chapters that were chosen from, frameworks' libraries."""
    done: list[str] = []

    def noting(function, note):
        return lambda *arguments, **options: done.append(note(*arguments)) or function(*arguments, **options)

    monkeypatch.setattr(reading, "parse", noting(reading.parse, lambda text, path: path))
    selected = noting(reading.Book.selected, lambda book, chapter, framework: f"{framework}/{chapter.name}")
    monkeypatch.setattr(reading.Book, "selected", selected)
    library = noting(reading.build_library, lambda chapters, framework, *_: f"d2l/{framework.name}")
    monkeypatch.setattr(reading, "build_library", library)
    return done


PARSED = ["en/saving.md", "en/using.md", "en/plain.md"]
LIBRARIES = ["d2l/pytorch", "d2l/jax"]
CHANGES = {
    "nothing": ("en/plain.md", "", []),
    "prose": ("en/plain.md", "More prose.\n", []),
    "prose where something is saved": ("en/saving.md", "More prose.\n", []),
    "code": ("en/plain.md", f"{CELL}y = 2\n```\n", ["pytorch/plain", "jax/plain"]),
    "code where something is saved": (
        "en/saving.md",
        f"{CELL}y = 2\n```\n",
        ["pytorch/saving", "jax/saving", *LIBRARIES],
    ),
    "a translation": ("fr/plain.md", f"{CELL}y = 2\n```\n", []),
    "settings": (
        "_config.yml",
        CONFIG.replace("d2l}", "d2l, aliases: {jax: {ones: jnp.ones}}}"),
        [f"{framework}/{name}" for name in ("saving", "using", "plain") for framework in ("pytorch", "jax")],
    ),
}


@pytest.mark.parametrize(("path", "text", "expected"), CHANGES.values(), ids=CHANGES)
def test_only_what_changed_is_worked_out(root, work, path, text, expected):
    file = Path(root, path)
    file.write_text(text if path == "_config.yml" else file.read_text() + text)

    find_units(load_book(root))

    assert sorted(work) == sorted(PARSED + expected + (LIBRARIES if path == "_config.yml" else []))


def test_another_polybook_works_all_out(root, work, monkeypatch):
    monkeypatch.setattr(outlines, "digest_program", lambda: "another")

    find_units(load_book(root))

    assert len(work) == len(PARSED) + len(LIBRARIES) + 6


def test_what_is_remembered_is_what_would_be_worked_out(root):
    remembered = [unit.outline for unit in find_units(load_book(root))]
    (root / "_build/outlines.json").unlink()

    assert [unit.outline for unit in find_units(load_book(root))] == remembered
    assert [outline.positions for outline in remembered] == [(0,), (0,), (0,), (0,), (0, 1), (0, 2)]


def test_cells_stand_where_they_are_written(root):
    unit = find_units(load_book(root))[-1]

    assert unit.places == [("en/plain.md", 5), ("en/plain.md", 15)]
    assert len(unit.codes) == len(unit.places)
