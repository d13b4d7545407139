"""Keeping a translation's code the same as the source language's, its prose untouched.

Two cells say the same when they differ in comments only: a translation may translate comments, and
may leave a cell empty for `sync` to fill.
"""

from __future__ import annotations

from collections.abc import Iterator

from .diagnostics import Code, Diagnostic
from .dialect import replace_code
from .dialect.python import without_comments
from .model import Block, Cell, Document, write
from .references import Chapter


def is_same_code(one: str, other: str) -> bool:
    """Return whether two cells differ in comments and layout only, tab and save marks compared too."""
    return one == other or _substance(one) == _substance(other)


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

    Where the two have different numbers of cells there is no telling which is which, and the text
    comes back unchanged; `check_translation` says so. The same where a fence is never closed: it may
    have swallowed prose.
    """
    cells = [*source.cells, *translated.cells]
    if len(source.cells) != len(translated.cells) or not all(cell.closed for cell in cells):
        return write(translated.blocks)
    originals = iter(source.cells)

    def synced(block: Block) -> Block:
        if not isinstance(block, Cell):
            return block
        original = next(originals)
        return block if is_same_code(block.code, original.code) else replace_code(block, original.code)

    return write([synced(block) for block in translated.blocks])
