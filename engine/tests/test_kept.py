"""What is made of a chapter is kept while it would be the same, and every site is that of a first build."""

from __future__ import annotations

import shutil
from uuid import uuid4

import pytest
from bs4 import BeautifulSoup

from polybook.cli import main
from polybook.pipeline.book import load_book
from polybook.pipeline.inputs import read_inputs
from polybook.pipeline.kept import Kept
from polybook.pipeline.surroundings import kept_of

CELL = "```{.python .input}\n#@tab all\n#@save\ndef add(x):\n    return x + 1\n```\n"
CHAPTERS = "chapters: [{file: deep/first}, {file: second}]"
FILES = {
    "_config.yml": """\
title: Small
author: A
polybook:
  source: en
  languages: {en: en, fr: fr}
  frameworks: [pytorch, jax]
  library: {module: lib}
""",
    "_toc.yml": f"format: jb-book\nroot: index\n{CHAPTERS}\n",
    "en/index.md": "# Small\n\nSee :numref:`sec_second` and :ref:`sec_second`, a *defined term*.\n",
    "en/deep/first.md": f"# First\n\nSome text.\n\n{CELL}\nMore text, $x$.\n",
    "en/second.md": "# Second\n:label:`sec_second`\n\nSome text.\n\n## A section\n\nText.\n",
    "fr/index.md": "# Petit\n\nVoir :numref:`sec_second`.\n",
    "fr/second.md": "# Seconde\n:label:`sec_second`\n\nDu texte.\n",
}


@pytest.fixture
def kept(tmp_path):
    return Kept(tmp_path, "surroundings")


def test_a_value_is_made_once(kept, tmp_path):
    assert kept.get("a/b", ["text"], lambda: [1]) == [1]
    assert kept.get("a/b", ["text"], lambda: [2]) == [1]
    assert Kept(tmp_path, "surroundings").get("a/b", ["text"], lambda: [3]) == [1]


def test_a_value_is_made_again_of_other_parts_and_in_other_surroundings(kept, tmp_path):
    kept.get("a", ["text"], lambda: 1)
    assert kept.get("b", ["text"], lambda: 2) == 2
    assert kept.get("a", ["other"], lambda: 3) == 3
    assert Kept(tmp_path, "other").get("a", ["other"], lambda: 4) == 4


def test_what_does_not_last_or_is_broken_is_made_again(kept, tmp_path):
    assert kept.get("a", [], lambda: 1, lasts=lambda made: made > 1) == 1
    assert kept.get("a", [], lambda: 2) == 2
    path = tmp_path / "a"
    whole = path.read_bytes()
    for number, broken in enumerate((whole[:-1], whole[:20], whole[:-3] + b"???", b"")):
        path.write_bytes(broken)
        assert kept.get("a", [], lambda number=number: number + 3) == number + 3


def test_nothing_is_kept_nowhere():
    assert Kept().get("a", [], lambda: 1) == 1
    assert Kept().get("a", [], lambda: 2) == 2


def is_kept(root, change):
    """Return whether other chapters are what they were after a change of one of them."""

    def state():
        kept = kept_of(load_book(root), read_inputs(root, ()))
        return kept.get("probe", [], uuid4)

    before = state()
    path, old, new = change
    text = (root / path).read_text()
    assert old in text
    (root / path).write_text(text.replace(old, new))
    return state() == before


@pytest.mark.parametrize(
    ("path", "old", "new", "expected"),
    [
        ("en/second.md", "Some text.", "Some\n\nother text, longer.", True),
        ("fr/second.md", "Du texte.", "Un texte.", True),
        ("en/second.md", "# Second", "# Another", False),
        ("en/second.md", "## A section", "## A section\n:label:`sec_new`", False),
        ("en/deep/first.md", "return x + 1", "return x + 2", False),
        ("_toc.yml", "{file: deep/first}, {file: second}", "{file: second}, {file: deep/first}", False),
        ("_config.yml", "[pytorch, jax]", "[jax, pytorch]", False),
    ],
)
def test_what_other_chapters_are_made_of(write_book, path, old, new, expected):
    assert is_kept(write_book(FILES), (path, old, new)) is expected


def site(root):
    assert main(["build", "--book", str(root)]) == 0
    folder = root / "_build" / "html"
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_a_page_that_waits_for_its_translation_says_its_language(write_book):
    pages = site(write_book(FILES))
    waiting, translated = (
        BeautifulSoup(pages[f"fr/{name}.html"], "html.parser") for name in ("deep/first", "second")
    )
    assert waiting.html["lang"] == translated.html["lang"] == "fr"
    assert waiting.select_one("article h1").find_parent(lang=True)["lang"] == "en"
    assert waiting.select_one(".admonition")["lang"] == "fr"
    assert translated.select_one("article h1").find_parent(lang=True).name == "html"


def test_a_site_built_again_is_that_of_a_first_build(write_book, tmp_path):
    root = write_book(FILES)
    site(root)
    changes = (
        ("en/deep/first.md", "Some text.", "Some words that are new: :numref:`sec_second`."),
        ("en/second.md", "# Second", "# Another title"),
        ("fr/second.md", "Du texte.", "Une *expression*."),
        ("fr/second.md", "# Seconde", "# Autre titre"),
        ("en/deep/first.md", "x + 1", "x + 2"),
        ("en/second.md", "## A section", "## Another section"),
        ("_toc.yml", CHAPTERS, f"parts: [{{caption: One, {CHAPTERS}}}]"),
        ("_toc.yml", "caption: One", "caption: Two"),
    )
    for number, (path, old, new) in enumerate(changes):
        text = (root / path).read_text()
        assert old in text
        (root / path).write_text(text.replace(old, new))
        built = site(root)
        fresh = tmp_path / f"fresh{number}"
        shutil.copytree(root, fresh, ignore=shutil.ignore_patterns("_build"))
        expected = site(fresh)
        assert built.keys() == expected.keys()
        assert [name for name in built if built[name] != expected[name]] == []
