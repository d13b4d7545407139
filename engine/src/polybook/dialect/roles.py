"""Roles, slide marks and comments inside prose, headings and captions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

#: The roles of the dialect that stand inside a sentence.
REFERENCES = frozenset({"numref", "eqref", "ref"})
CITATIONS = frozenset({"cite", "citet", "citep"})

#: Every construct begins with one of five characters, which a scanner finds fast. Roles and code spans that
#: end on their line are matched whole; for the rest this is how they begin.
_BEGIN = re.compile(
    r"[`:<(\[](?:"
    r"(?<=:)(?P<name>[a-z_]+):`(?P<value>[^`\n]*(?:\n(?![ \t\r]*\n)[^`\n]*)?)`"
    r"|(?<=`)(?P<code>[^`\n]+`(?!`))"
    r"|(?<=`)`*"
    r"|(?<=<)!--"
    r"|(?<=\()(?:~~|\*\*)"
    r"|(?<=\[)\*\*)"
)
_PARAGRAPH_END = re.compile(r"\n[ \t\r]*\n")
#: How what begins so is called, and how it ends.
_ENDS = {
    "(**": ("slide", re.compile(r"\*\*\)")),
    "[**": ("slide", re.compile(r"\*\*\](?!\()")),
    "(~~": ("hidden", re.compile(r"~~\)")),
    "<!--": ("comment", re.compile(r"-->")),
}


@dataclass(frozen=True, slots=True)
class Role:
    """A role in a piece of prose, :name:`value`."""

    #: `numref`, `eqref`, `ref`, `cite`, ... or a name the dialect does not have.
    name: str
    #: The text between the backticks.
    value: str
    #: Where the role begins in the text it was found in.
    start: int
    #: Where it ends.
    end: int

    @property
    def keys(self) -> tuple[str, ...]:
        """The labels or citation keys named, without blanks."""
        return tuple(key for part in self.value.split(",") if (key := part.strip()))


@dataclass(frozen=True, slots=True)
class _Piece:
    """A construct of the dialect in a piece of prose."""

    #: `role`, `code`, `slide`, `hidden` or `comment`.
    kind: str
    #: Where it begins.
    start: int
    #: Where it ends.
    end: int
    #: The role, where it is one.
    role: Role | None = None


def find_roles(text: str) -> Iterator[Role]:
    """Yield the roles in `text`; those inside code spans and comments are none."""
    if ":`" in text:
        yield from _find_roles(text, 0, len(text))


def _find_roles(text: str, start: int, end: int) -> Iterator[Role]:
    for piece in _find_pieces(text, start, end):
        if piece.role:
            yield piece.role
        elif piece.kind == "slide":
            yield from _find_roles(text, piece.start + 3, piece.end - 3)


def replace_roles(text: str, replace: Callable[[Role], str]) -> str:
    """Return prose as Markdown: roles replaced, slide marks made bold, what is hidden left out.

    Args:
        text: Prose of the dialect.
        replace: Gives the Markdown for a role; its `start` is a position in `text`.
    """
    if ":`" not in text and "<!--" not in text and "**" not in text and "~~" not in text:
        return text
    return "".join(_replace_roles(text, 0, len(text), replace))


def _replace_roles(text: str, start: int, end: int, replace: Callable[[Role], str]) -> Iterator[str]:
    done = start
    for piece in _find_pieces(text, start, end):
        yield text[done : piece.start]
        done = piece.end
        if piece.role:
            yield replace(piece.role)
        elif piece.kind == "slide":
            yield "**"
            yield from _replace_roles(text, piece.start + 3, piece.end - 3, replace)
            yield "**"
        elif piece.kind == "code":
            yield text[piece.start : piece.end]
    yield text[done:end]


def _find_pieces(text: str, position: int, end: int) -> Iterator[_Piece]:
    """Yield the constructs in order. What never ends within its paragraph (a comment: the text) is none."""
    paragraph_end = position
    never: dict[str, int] = {}  # how something begins: up to where it is known not to end
    while begin := _BEGIN.search(text, position, end):
        start, position = begin.span()
        if name := begin["name"]:
            yield _Piece("role", start, position, Role(name, begin["value"], start, position))
            continue
        if begin["code"]:
            yield _Piece("code", start, position)
            continue
        if start >= paragraph_end:
            paragraph_end = found.start() if (found := _PARAGRAPH_END.search(text, start, end)) else end
        mark = begin[0]
        kind, closing = _ENDS.get(mark) or ("code", re.compile(rf"(?<!`)`{{{len(mark)}}}(?!`)"))
        limit = end if kind == "comment" else paragraph_end
        if never.get(mark, 0) >= limit:
            continue
        if found := closing.search(text, position + (kind == "slide"), limit):
            position = found.end()
            yield _Piece(kind, start, position)
        else:
            never[mark] = limit
