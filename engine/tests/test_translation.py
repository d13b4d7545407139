"""Translations: what counts as the same code, what has drifted, and what `sync` writes."""

from __future__ import annotations

import pytest

from polybook.config import TocEntry
from polybook.dialect import parse
from polybook.model import write
from polybook.references import Chapter
from polybook.translation import check_translation, is_same_code, sync

SAME = {
    "equal": ("x = 1", "x = 1"),
    "comment": ("x = 1  # one", "x = 1  # un"),
    "comment line": ("# one\nx = 1", "x = 1"),
    "blank lines": ("x = 1\n\ny = 2\n", "x = 1\ny = 2"),
    "layout": ("f(1,\n  2)", "f(1, 2)"),
    "mark with other spacing": ("#@tab all\nx = 1", "# @tab all\nx = 1  # un"),
    "magic": ("%matplotlib inline\nx = 1  # one", "%matplotlib inline\nx = 1"),
}
DIFFERENT = {
    "value": ("x = 1", "x = 2"),
    "string": ("x = '# one'", "x = '# un'"),
    "docstring": ('def f():\n    """One."""', 'def f():\n    """Un."""'),
    "tab mark": ("#@tab all\nx = 1", "#@tab pytorch\nx = 1"),
    "no tab mark": ("#@tab all\nx = 1", "x = 1"),
    "save mark": ("x = 1  #@save", "x = 1"),
    "empty": ("x = 1", ""),
    "magic": ("%matplotlib inline", "%matplotlib notebook"),
    "more": ("x = 1", "x = 1\ny = 2"),
    "not Python, so nothing is known of it": ("for x in:  # one", "for x in:  # un"),
}


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=SAME)
def test_the_same_up_to_comments(one, other):
    assert is_same_code(one, other)
    assert is_same_code(other, one)


@pytest.mark.parametrize(("one", "other"), DIFFERENT.values(), ids=DIFFERENT)
def test_not_the_same(one, other):
    assert not is_same_code(one, other)
    assert not is_same_code(other, one)


def cell(code: str) -> str:
    return f"```{{.python .input}}\n{code}\n```\n"


def chapter(text: str, folder: str) -> Chapter:
    return Chapter.of(TocEntry("a", (1,)), parse(text, f"{folder}/a.md"))


def drift(source: str, translated: str) -> list[str]:
    found = check_translation(chapter(source, "en"), chapter(translated, "fr"))
    return [str(one) for one in found]


def test_each_cell_that_differs_is_named_with_both_places():
    source = f"# A\n\n{cell('x = 1')}\n{cell('y = 1')}"
    assert drift(source, f"# A\n\nProse.\n\n{cell('x = 1  # un')}\n{cell('y = 2')}") == [
        "fr/a.md:9: T001 The code differs from en/a.md:7. Run `polybook sync`."
    ]


def test_with_other_cells_nothing_else_is_said():
    advice = "Add or remove cells (a new one may be empty), then run `polybook sync`."
    source = cell("x = 1") + cell("y = 1")
    assert drift(source, cell("x = 2") + "# A\n:label:`a`\n") == [
        f"fr/a.md:1: T002 There are 1 code cells here and 2 in en/a.md. {advice}"
    ]
    assert drift(source, "Rien.") == [
        f"fr/a.md:1: T002 There are 0 code cells here and 2 in en/a.md. {advice}"
    ]


def test_labels_are_the_same_in_any_order():
    source = "# A\n:label:`a`\n\n## B\n:label:`b`\n\n$$c$$\n:eqlabel:`c`\n\n## D\n:label:`d`\n"
    assert (
        drift(source, "## D\n:label:`d`\n\n$$c$$\n:eqlabel:`c`\n\n# A\n:label:`a`\n\n## B\n:label:`b`\n")
        == []
    )
    assert drift(source, "# A\n:label:`a`\n\n## B\n:label:`bb`\n\n## D\n:label:`d`\n") == [
        "fr/a.md:1: T003 The label `b` of en/a.md:5 is missing. Put it where the translation speaks of it.",
        "fr/a.md:1: T003 The label `c` of en/a.md:8 is missing. Put it where the translation speaks of it.",
        "fr/a.md:5: T003 The label `bb` is not in en/a.md. Remove it or add it there.",
    ]


def synced(source: str, translated: str) -> str:
    return sync(parse(source), parse(translated))


def test_sync_fills_what_is_empty_and_what_changed_and_keeps_the_rest():
    source = cell("x = 1  # one") + cell("y = 2") + cell("z = 3  # three")
    start, middle = f"Début.\n{cell('x = 1  # un')}\n```{{.python .input  n=4}}\n", "```\nFin.\n"
    translated = start + middle + cell("z = 4")
    assert synced(source, translated) == start + "y = 2\n" + middle + cell("z = 3  # three")


def test_a_second_sync_changes_nothing():
    source = cell("x = 1") + cell("#@tab all\ny = 2\n\n")
    once = synced(source, f"A{cell('')}  {cell('x')}B".replace("A`", "A\n`"))
    assert synced(source, once) == once
    assert drift(source, once) == []


UNTOUCHED = {
    "the same": (cell("x = 1"), cell("x = 1  # un")),
    "other cells": (cell("x = 1"), cell("x = 2") + cell("y = 1")),
    "an unclosed cell here": (cell("x = 1"), "```{.python .input}\nx = 2\n\nUne prose.\n"),
    "an unclosed cell there": ("```{.python .input}\nx = 1\n\nProse.\n", cell("x = 2")),
    "no cells": ("# A", "# A\n\n   \tb"),
}


@pytest.mark.parametrize(("source", "translated"), UNTOUCHED.values(), ids=UNTOUCHED)
def test_what_sync_leaves_alone(source, translated):
    assert synced(source, translated) == translated == write(parse(translated).blocks)


ADDED = {
    "behind the cell it follows": (
        ["#@tab pytorch\nx = 1", "#@tab jax\nx = 2"],
        ["#@tab pytorch\nx = 1  # un"],
        ["#@tab pytorch\nx = 1  # un", "#@tab jax\nx = 2"],
    ),
    "in the middle and at the end": (
        ["#@tab a\nx = 1", "#@tab b\nx = 2", "#@tab c\nx = 3", "#@tab d\nx = 4"],
        ["#@tab a\nx = 1", "#@tab c\nx = 3"],
        ["#@tab a\nx = 1", "#@tab b\nx = 2", "#@tab c\nx = 3", "#@tab d\nx = 4"],
    ),
    "beside code that changed, too": (
        ["#@tab a, b\nx = 1", "#@tab c\nx = 3", "#@tab d\nx = 5"],
        ["#@tab a\nx = 1", "#@tab d\nx = 4"],
        ["#@tab a, b\nx = 1", "#@tab c\nx = 3", "#@tab d\nx = 5"],
    ),
    "an empty cell is the one that has no other": (
        ["#@tab a\nx = 1", "#@tab b\ny = 2", "#@tab c\nz = 3"],
        ["#@tab a\nx = 1", ""],
        ["#@tab a\nx = 1", "#@tab b\ny = 2", "#@tab c\nz = 3"],
    ),
}


@pytest.mark.parametrize(("source", "translated", "synced"), ADDED.values(), ids=ADDED)
def test_sync_adds_the_cells_of_another_framework(source, translated, synced):
    def text(codes, title):
        return f"# {title}\n\n" + "\n".join(map(cell, codes)) + "\nEnd.\n"

    assert sync(parse(text(source, "A"), "en/a.md"), parse(text(translated, "B"), "fr/a.md")) == (
        text(synced, "B")
    )


def test_sync_leaves_a_cell_that_follows_prose_to_the_translator():
    first, second, third = "#@tab a\nx = 1", "#@tab b\nx = 2", "#@tab b\nx = 3"
    source = f"{cell(first)}\n{cell(second)}\nProse.\n\n{cell(third)}"
    assert sync(parse(source, "en/a.md"), parse(cell(first), "fr/a.md")) == f"{cell(first)}\n{cell(second)}"


def test_sync_changes_nothing_where_a_cell_has_no_counterpart():
    text = cell("#@tab b\ny = 1")
    assert sync(parse(cell("#@tab a\nx = 1") * 2, "en/a.md"), parse(text, "fr/a.md")) == text
