"""Roles, slide marks and comments inside prose, headings and captions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

#: The roles of the dialect that stand inside a sentence.
REFERENCES = frozenset({"numref", "eqref", "ref"})
CITATIONS = frozenset({"cite", "citet", "citep"})

#: A character, or a line end that does not end the paragraph.
_IN_PARAGRAPH = r"(?:(?!\n[ \t\r]*\n).)"
#: Every construct begins with one of four characters, which a scanner finds fast.
_TOKEN = re.compile(
    r"[`:<(\[](?:"
    r"(?<=`)(?P<code>[^`\n]+(?:\n(?![ \t\r]*\n)[^`\n]*)*`(?!`)"
    rf"|(?P<ticks>`+)(?!`){_IN_PARAGRAPH}+?(?<!`)`(?P=ticks)(?!`))"
    r"|(?<=:)(?P<name>[a-z_]+):`(?P<value>[^`\n]*(?:\n(?![ \t\r]*\n)[^`\n]*)?)`"
    r"|(?<=<)(?P<comment>!--.*?-->)"
    rf"|(?<=\()(?P<hidden>~~{_IN_PARAGRAPH}*?~~\))"
    rf"|(?P<slide>(?<=\()\*\*{_IN_PARAGRAPH}+?\*\*\)|(?<=\[)\*\*{_IN_PARAGRAPH}+?\*\*\](?!\()))",
    re.DOTALL,
)


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


def find_roles(text: str) -> Iterator[Role]:
    """Yield the roles in `text`; those inside code spans and comments are none."""
    if ":`" not in text:
        return
    for match in _TOKEN.finditer(text):
        if match["name"]:
            yield Role(match["name"], match["value"], match.start(), match.end())
        elif match["slide"]:
            offset = match.start() + 3
            for role in find_roles(match[0][3:-3]):
                yield Role(role.name, role.value, role.start + offset, role.end + offset)


def replace_roles(text: str, replace: Callable[[Role], str]) -> str:
    """Return prose as Markdown: roles replaced, slide marks made bold, what is hidden left out.

    Args:
        text: Prose of the dialect.
        replace: Gives the Markdown for a role; its `start` is a position in `text`.
    """
    if ":`" not in text and "<!--" not in text and "**" not in text and "~~" not in text:
        return text

    def markdown(match: re.Match[str]) -> str:
        if match["name"]:
            return replace(Role(match["name"], match["value"], match.start(), match.end()))
        if match["slide"]:
            inner = match[0][3:-3]
            offset = match.start() + 3
            shifted = replace_roles(
                inner,
                lambda role: replace(Role(role.name, role.value, role.start + offset, role.end + offset)),
            )
            return f"**{shifted}**"
        if match["comment"] or match["hidden"]:
            return ""
        return match[0]

    return _TOKEN.sub(markdown, text)
