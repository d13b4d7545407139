"""Keeping a translation's code the same as the source language's, its prose untouched.

Two cells say the same when they differ in comments only: a translation may translate comments, and
may leave a cell empty for `sync` to fill.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from math import inf

from .diagnostics import Code, Diagnostic
from .dialect import replace_code, split_tab_marks
from .dialect.python import without_comments
from .model import Block, Cell, Document, Prose, write
from .references import Chapter


def is_same_code(one: str, other: str) -> bool:
    """Return whether two cells differ in comments and layout only, tab and save marks compared too."""
    return one == other or _substance(one) == _substance(other)


@cache  # `sync` compares each cell with many
def _substance(code: str) -> tuple[str, tuple[str, ...]]:
    marks = ("@tab", "@save", "%%tab", "required_libs")
    lines = (line.replace(" ", "") for line in code.splitlines())
    return without_comments(code), tuple(line for line in lines if any(mark in line for mark in marks))


def check_translation(source: Chapter, translated: Chapter) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each place where a translation's code or labels have drifted."""
    path = translated.document.path
    ours, theirs = translated.document.cells, source.document.cells
    if len(ours) != len(theirs):
        line = ours[-1].line if ours else 1
        what = f"There are {len(ours)} code cells here and {len(theirs)} in {source.document.path}."
        advice = "Add or remove cells (a new one may be empty), then run `polybook sync`."
        yield Diagnostic(path, line, Code.CELLS_DIFFER, what, advice)
        return
    for cell, original in zip(ours, theirs, strict=True):
        if not is_same_code(cell.code, original.code):
            what = f"The code differs from {source.document.path}:{original.line}."
            yield Diagnostic(path, cell.line, Code.CODE_DIFFERS, what, "Run `polybook sync`.")
    yield from _check_labels(source, translated)


def _check_labels(source: Chapter, translated: Chapter) -> Iterator[Diagnostic]:
    path = translated.document.path
    ours = {mark.value: mark.line for element in translated.elements if (mark := element.label)}
    theirs = {mark.value: mark.line for element in source.elements if (mark := element.label)}
    for label, line in theirs.items():
        if label not in ours:
            what = f"The label `{label}` of {source.document.path}:{line} is missing."
            yield Diagnostic(path, 1, Code.LABELS_DIFFER, what, "Put it where the translation speaks of it.")
    for label, line in ours.items():
        if label not in theirs:
            what = f"The label `{label}` is not in {source.document.path}."
            yield Diagnostic(path, line, Code.LABELS_DIFFER, what, "Remove it or add it there.")


def sync(source: Document, translated: Document) -> str:
    """Return the translation's text with each cell whose code differs taken from the source language.

    A cell that the translation lacks is put behind the cell that it follows directly in the source: so
    the code of another framework comes in. One that follows prose is left to the translator, who alone
    knows where that prose is, and `check_translation` says so. The text comes back unchanged where cells
    cannot be told apart, or where a fence is never closed: it may have swallowed prose.
    """
    cells = [*source.cells, *translated.cells]
    pairs = _pairs(source.cells, translated.cells)
    if pairs is None or not all(cell.closed for cell in cells):
        return write(translated.blocks)
    added = _added(source, set(pairs))
    originals = iter(pairs)
    blocks: list[Block] = []
    for block in translated.blocks:
        if not isinstance(block, Cell):
            blocks.append(block)
            continue
        number = next(originals)
        original = source.cells[number]
        same = is_same_code(block.code, original.code)
        blocks.append(block if same else replace_code(block, original.code))
        for cell in added.get(number, ()):
            blocks += [Prose(0, "\n"), cell]
    return write(blocks)


def _pairs(source: Sequence[Cell], translated: Sequence[Cell]) -> list[int] | None:
    """Return the number of the source's cell for each cell of a translation, in order.

    `None` where a cell of the translation has no counterpart. With equal numbers of cells each has its
    own; otherwise the pairs are those that are most alike, all told.
    """
    if len(source) == len(translated):
        return list(range(len(source)))
    # best[i][j]: how alike the translation's cells from i on are to the source's from j on
    best = [[0.0] * (len(source) + 1)] + [[-inf] * (len(source) + 1) for _ in translated]
    best.reverse()
    for i in reversed(range(len(translated))):
        for j in reversed(range(len(source))):
            alike = _likeness(translated[i].code, source[j].code)
            best[i][j] = max(best[i][j + 1], best[i + 1][j + 1] + alike)
    if best[0][0] == -inf:
        return None
    pairs: list[int] = []
    for j in range(len(source)):
        if len(pairs) < len(translated) and best[len(pairs)][j] > best[len(pairs)][j + 1]:
            pairs.append(j)
    return pairs


def _likeness(code: str, original: str) -> float:
    """Return how much two cells look like the same one; `-inf` for two that cannot be."""
    if is_same_code(code, original):
        return 4
    names, stripped = _marks(code)
    original_names, original_stripped = _marks(original)
    if is_same_code(stripped, original_stripped):
        return 3
    if not code.strip() or (names and names == original_names):
        return 2
    return 1 if set(names or ()) & set(original_names or ()) else -inf


_marks = cache(split_tab_marks)


def _added(source: Document, present: set[int]) -> dict[int, list[Cell]]:
    """Return the cells to add behind others: those that directly follow one that is present or added."""
    added: dict[int, list[Cell]] = {}
    number, behind = -1, None  # the last cell; the present one that it stands behind
    for block in source.blocks:
        if isinstance(block, Cell):
            number += 1
            if number in present:
                behind = number
            elif behind is not None:
                added.setdefault(behind, []).append(block)
        elif block.source.strip():
            behind = None
    return added
