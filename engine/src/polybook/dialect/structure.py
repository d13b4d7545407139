"""Which marks belong to which block.

`:label:` and `:width:` stand after what they are about, on the same line or below it, perhaps after
a blank line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..model import Block, Figure, Heading, Mark, Math, Prose, Table

#: The marks that each kind of block can carry.
CARRIED = {
    Heading: frozenset({"label"}),
    Figure: frozenset({"label", "width", "height"}),
    Table: frozenset({"label", "width", "height"}),
    Math: frozenset({"eqlabel", "label"}),
}


@dataclass(frozen=True, slots=True)
class Element:
    """A block together with the marks about it."""

    #: The block that carries the marks; a `Mark` itself where nothing does.
    block: Block
    #: The marks in the order written.
    marks: tuple[Mark, ...] = field(default=())

    def value(self, name: str) -> str | None:
        """Return what the mark called `name` says, or `None` without one."""
        return next((mark.value for mark in self.marks if mark.name == name), None)

    @property
    def label(self) -> Mark | None:
        """The mark that names the block."""
        return next((mark for mark in self.marks if mark.name in ("label", "eqlabel")), None)

    @property
    def is_misplaced(self) -> bool:
        """Whether the block is a mark with nothing before it that could carry it."""
        return isinstance(self.block, Mark) and self.block.name != "bibliography"


def find_elements(blocks: Sequence[Block]) -> list[Element]:
    """Return the blocks in order, each with its marks; the blank lines between them are dropped."""
    elements: list[Element] = []
    position = 0
    while position < len(blocks):
        block = blocks[position]
        carried = CARRIED.get(type(block), frozenset())
        position += 1
        marks: list[Mark] = []
        while carried:
            following = _next_mark(blocks, position)
            if following is None or following[0].name not in carried:
                break
            marks.append(following[0])
            position = following[1]
        elements.append(Element(block, tuple(marks)))
    return elements


def _next_mark(blocks: Sequence[Block], position: int) -> tuple[Mark, int] | None:
    """Return the mark at `position`, blank prose before it skipped, and the position after it."""
    if position < len(blocks) and isinstance(blocks[position], Prose):
        if blocks[position].source.strip():
            return None
        position += 1
    if position < len(blocks):
        block = blocks[position]
        if isinstance(block, Mark):
            return block, position + 1
    return None
