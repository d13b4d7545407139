"""The names of sections in addresses, from the titles in the source language."""

from __future__ import annotations

from collections.abc import Iterator

from docutils.nodes import make_id

from ..markdown import plain_text
from ..model import Document, Heading, TabBegin, TabEnd


def section_anchors(source: Document, shown: Document) -> list[str]:
    """Return the anchors of a page's sections in order, none if it has other sections than its source.

    Args:
        source: The chapter in the source language.
        shown: The chapter as the page shows it.
    """
    titles, own = list(_sections(source)), list(_sections(shown))
    if [one.level for one in titles] != [one.level for one in own]:
        return []
    anchors: list[str] = []
    for title in titles:
        anchor = make_id(plain_text(title.title)) or "section"
        taken = sum(one == anchor or one.startswith(f"{anchor}--") for one in anchors)
        anchors.append(f"{anchor}--{taken + 1}" if taken else anchor)
    return anchors


def _sections(document: Document) -> Iterator[Heading]:
    """Yield the headings of a chapter; those in the prose of some frameworks make no sections."""
    is_tabbed = False
    for block in document.blocks:
        if isinstance(block, TabBegin | TabEnd):
            is_tabbed = isinstance(block, TabBegin)
        elif isinstance(block, Heading) and not is_tabbed:
            yield block
