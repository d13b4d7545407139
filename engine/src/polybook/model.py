"""The values a chapter is made of: frozen, and each with its exact source.

A document is a sequence of blocks that join to the text they were read from, character for
character. What a block means for a framework, a page or the library is decided by the layers above.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a chapter."""

    #: 1-based line of the block's first character.
    line: int
    #: The exact text, line ends included; a block may end inside a line.
    source: str


@dataclass(frozen=True, slots=True)
class Prose(Block):
    """Everything that is none of the others: paragraphs, lists, blank lines."""


@dataclass(frozen=True, slots=True)
class Heading(Block):
    """An ATX or setext heading."""

    #: 1 for a chapter's title, 2 for a section, ... 6.
    level: int
    #: The heading's text with its inline marks, without `#`.
    title: str


@dataclass(frozen=True, slots=True)
class Math(Block):
    """A display formula, `$$...$$`."""

    #: The TeX between the dollars.
    tex: str


@dataclass(frozen=True, slots=True)
class Figure(Block):
    """An image on a line of its own."""

    #: The caption, which may hold math, roles and citations.
    caption: str
    #: The image's address as written, relative to the chapter.
    path: str


@dataclass(frozen=True, slots=True)
class Table(Block):
    """A pipe table with its caption line, if it has one."""

    #: The caption without its colon, or an empty text.
    caption: str
    #: The rows as written, the caption line left out.
    rows: str


@dataclass(frozen=True, slots=True)
class Fence(Block):
    """A fenced block that is not a code cell; it is shown, never run."""

    #: What follows the opening fence: `bash`, `toc`, `eval_rst`, ...
    info: str
    #: The text between the fences.
    body: str
    #: Whether a closing fence was found.
    closed: bool


@dataclass(frozen=True, slots=True)
class Cell(Block):
    """A code cell, ```` ```{.python .input} ````, with its marks still in it."""

    #: The attributes between the braces: `.python .input n=3`.
    options: str
    #: The lines between the fences, with `\\n` line ends.
    code: str
    #: Whether a closing fence was found.
    closed: bool

    @property
    def tags(self) -> list[str]:
        """The classes that an author gave the cell, which are tags in a notebook: `nbval-skip`."""
        words = self.options.split()
        return [word[1:] for word in words if word[0] == "." and word not in (".python", ".input")]

    @property
    def code_line(self) -> int:
        """1-based line of the first line of code in the chapter."""
        return self.line + 1


@dataclass(frozen=True, slots=True)
class TabBegin(Block):
    """`:begin_tab:`, the start of prose for some frameworks."""

    #: The frameworks named, in the order written.
    frameworks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TabEnd(Block):
    """`:end_tab:`."""


@dataclass(frozen=True, slots=True)
class Comment(Block):
    """An html comment that begins a line; readers never see it."""


@dataclass(frozen=True, slots=True)
class Mark(Block):
    """A mark about the block before it, or a place for the bibliography."""

    #: `label`, `eqlabel`, `width`, `height` or `bibliography`.
    name: str
    #: What stands between the backticks.
    value: str


@dataclass(frozen=True, slots=True)
class Document:
    """A chapter's text as blocks."""

    #: Where the text came from, for messages; relative to the book.
    path: str
    #: The blocks in order; their sources join to the text.
    blocks: tuple[Block, ...]

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The code cells in order."""
        return tuple(block for block in self.blocks if isinstance(block, Cell))

    @property
    def headings(self) -> tuple[Heading, ...]:
        """The title and those of the sections in order."""
        return tuple(block for block in self.blocks if isinstance(block, Heading))


def write(blocks: Sequence[Block]) -> str:
    """Return the text that the blocks were read from."""
    return "".join(block.source for block in blocks)
