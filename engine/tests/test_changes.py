"""What runs again after a change, and why: exactly these chapters, in these frameworks."""

from __future__ import annotations

from pathlib import Path

import pytest

from polybook.data import digest_data as digest
from polybook.outputs import Provenance, make_record
from polybook.pipeline.book import load_book
from polybook.pipeline.units import data_roots, find_state, find_units
from polybook.store import Store

CELL = "```{{.python .input}}\n#@tab {tabs}\n{code}\n```\n"
CONFIG = """\
polybook:
  source: en
  languages: {en: en, pt: pt}
  frameworks: [pytorch, jax]
  library: {module: d2l}
"""
STEP = "#@save\ndef step(x):\n    return x + 1"
TRAIN = "#@save\ndef train(x):\n    return d2l.step(x)"
ALONE = "#@save\ndef alone(x):\n    return x"


def cell(code: str, tabs: str = "all") -> str:
    return CELL.format(tabs=tabs, code=code)


def page(title: str, *cells: tuple[str, str]) -> str:
    return f"# {title}\n\n" + "\nSome prose.\n\n".join(cell(code, tabs) for tabs, code in cells)


def chapters(library: str, using: str, plain: str) -> dict[str, str]:
    own = [("pytorch", "from d2l import torch as d2l"), ("jax", "from d2l import jax as d2l")]
    return {
        "library": page(library, *own, ("all", STEP), ("all", TRAIN), ("all", ALONE)),
        "using": page(using, *own, ("all", "d2l.train(1)")),
        "plain": page(plain, ("all", "x = 1"), ("all", "y = 2"), ("pytorch", "z = 3"), ("jax", "w = 3")),
        "reading": page("Reading", ("pytorch", "open('tale.txt')")),
    }


FILES = {
    "_config.yml": CONFIG,
    "_toc.yml": "format: jb-book\nroot: library\nchapters: [{file: using}, {file: plain}, {file: reading}]\n",
    "requirements/pytorch.txt": "torch==2.0\n",
    "requirements/jax.txt": "jax==0.4\n",
    "data/tale.txt": "Once",
    **{f"en/{name}.md": text for name, text in chapters("Library", "Using", "Plain").items()},
    **{f"pt/{name}.md": text for name, text in chapters("Biblioteca", "Uso", "Simples").items()},
}
#: What the runs looked for, by chapter.
DATA = {"reading": ("tale.txt", "lost.txt")}


def replaced(path: str, old: str, new: str) -> dict[str, str]:
    assert old in FILES[path], (path, old)
    return {path: FILES[path].replace(old, new)}


def both(chapter: str, reason: str) -> dict[str, str]:
    return {f"{framework}/{chapter}": reason for framework in ("pytorch", "jax")}


TABLE: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "nothing": ({}, {}),
    "prose": (replaced("en/plain.md", "Some prose.", "More prose."), {}),
    "prose of a translation": (replaced("pt/plain.md", "Some prose.", "Outra prosa."), {}),
    "a comment": (replaced("en/plain.md", "x = 1", "# one\nx = 1  # a number"), {}),
    "a comment in a saved function": (
        replaced("en/library.md", "    return x + 1", "    # the next one\n    return x + 1"),
        {},
    ),
    "a cell's attribute": (replaced("en/plain.md", "{.python .input}", "{.python .input .hide n=3}"), {}),
    "a cell's tag, for the same frameworks": (replaced("en/plain.md", "#@tab all", "#@tab pytorch, jax"), {}),
    "a cell's tag, for one framework more": (
        replaced("en/plain.md", "#@tab pytorch", "#@tab all"),
        {"jax/plain": "Cell 3 is new."},
    ),
    "a language added": (
        replaced("_config.yml", "pt: pt}", "pt: pt, fr: fr}") | {"fr/plain.md": FILES["en/plain.md"]},
        {},
    ),
    "what a chapter must give": (
        {"_config.yml": CONFIG + '  chapters: {plain: {expect: {ppl: "< 9"}}}\n'},
        {},
    ),
    "code": (
        replaced("en/plain.md", "x = 1", "x = 2"),
        both("plain", "Cell 1 changed."),
    ),
    "code of one framework": (
        replaced("en/plain.md", "z = 3", "z = 4"),
        {"pytorch/plain": "Cell 3 changed."},
    ),
    "code of a translation": (replaced("pt/plain.md", "x = 1", "x = 2"), {}),
    "a cell moved": (
        {
            "en/plain.md": page(
                "Plain", ("all", "y = 2"), ("all", "x = 1"), ("pytorch", "z = 3"), ("jax", "w = 3")
            )
        },
        both("plain", "The order of the cells changed."),
    ),
    "a new saved function elsewhere": (
        {"en/plain.md": FILES["en/plain.md"] + cell("#@save\ndef new(x):\n    return x")},
        both("plain", "Cell 4 is new."),
    ),
    "a saved function that another one uses": (
        replaced("en/library.md", "return x + 1", "return x + 2"),
        both("library", "Cell 2 changed; definition `step` changed.")
        | both("using", "Definition `step` changed."),
    ),
    "a saved function that nobody uses": (
        replaced("en/library.md", "    return x\n", "    return -x\n"),
        both("library", "Cell 4 changed."),
    ),
    "a saved function moved to another chapter": (
        replaced("en/library.md", cell(STEP), "") | {"en/plain.md": FILES["en/plain.md"] + cell(STEP)},
        both("library", "Cell 2 is gone.") | both("plain", "Cell 4 is new."),
    ),
    "a data file": ({"data/tale.txt": "Twice"}, {"pytorch/reading": "Data file `tale.txt` changed."}),
    "a data file that was not there": (
        {"data/lost.txt": "Found"},
        {"pytorch/reading": "Data file `lost.txt` is there now."},
    ),
    "a data file that nobody reads": ({"data/other.txt": ""}, {}),
    "a framework's version": (
        {"requirements/jax.txt": "jax==0.5\n"},
        {
            f"jax/{chapter}": "The version of jax is 0.5 now, it was 0.4."
            for chapter in ("library", "using", "plain")
        },
    ),
    "the version of something else": ({"requirements/jax.txt": "jax==0.4\nflax==0.11\n"}, {}),
    "a chapter added": (
        replaced("_toc.yml", "{file: plain}", "{file: plain}, {file: new}")
        | {"en/new.md": page("New", ("jax", "1"))},
        {"jax/new": "It has never been run."},
    ),
    "a framework added": (
        replaced("_config.yml", "[pytorch, jax]", "[pytorch, jax, mxnet]")
        | {"en/using.md": FILES["en/using.md"] + cell("1", "mxnet")},
        {"mxnet/using": "It has never been run."},
    ),
}


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A book of which everything has been run."""
    monkeypatch.setenv("D2L_DATA", str(tmp_path / "data"))
    write(tmp_path, FILES)
    book, store = load_book(tmp_path), Store(tmp_path / "outputs")
    for unit in find_units(book):
        version = {"pytorch": "2.0", "jax": "0.4"}[unit.framework]
        data = digest(DATA.get(unit.chapter.name, ()), data_roots(book))
        outputs = [[] for _ in unit.codes]
        provenance = Provenance(unit.framework, version, "3.11.7", "cpu", data)
        store.save(
            unit.framework, make_record(unit.chapter.name, unit.codes, outputs, unit.definitions, provenance)
        )
    return tmp_path


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


@pytest.mark.parametrize(("files", "reasons"), TABLE.values(), ids=TABLE)
def test_what_runs_again(root, files, reasons):
    write(root, files)

    states = [find_state(unit)[0] for unit in find_units(load_book(root))]

    assert {state.unit.name: state.reason for state in states if state.word != "fresh"} == reasons
