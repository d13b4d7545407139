"""The glossary inside the text: the source language's term behind a translated one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx.writers.html5 import HTML5Translator

from .tabs import marked_frameworks

#: What a term may be inside of, in its paragraph.
_PLAIN = (nodes.emphasis, nodes.strong, nodes.inline)


class Term(nodes.abbreviation):
    """A term with the one behind it as its `explanation`."""


def visit_term(self: HTML5Translator, node: Term) -> None:
    """Begin a term; it can be reached by keyboard and touch, where a title alone cannot be read."""
    self.body.append(
        self.starttag(node, "abbr", "", CLASS="polybook-term", title=node["explanation"], tabindex="0")
    )


def depart_term(self: HTML5Translator, node: Term) -> None:
    """End a term."""
    self.body.append("</abbr>")


class GlossaryTerms(SphinxTransform):
    """Marks each term where a page has it first, in the text that all its readers get."""

    default_priority = 855

    def apply(self, **kwargs: Any) -> None:
        """Put the terms of the page's paragraphs into nodes of their own."""
        glossary: Mapping[str, str] = self.config.polybook_glossary
        if not glossary:
            return
        finder = Finder(glossary)
        for paragraph in list(self.document.findall(nodes.paragraph)):
            if _is_for_all(paragraph):
                for text in [text for text in paragraph.findall(nodes.Text) if _is_plain(text, paragraph)]:
                    pieces = list(finder.split(str(text)))
                    if any(term for _, term in pieces):
                        text.parent.replace(text, [_node(*piece) for piece in pieces])


def _is_for_all(paragraph: nodes.paragraph) -> bool:
    """Return whether a paragraph is part of the page itself, and of no framework's tab."""
    node: nodes.Node | None = paragraph.parent
    while node is not None:
        if isinstance(node, nodes.caption | nodes.footnote) or marked_frameworks(node) is not None:
            return False
        node = node.parent
    return True


def _is_plain(text: nodes.Text, paragraph: nodes.paragraph) -> bool:
    """Return whether a text is prose, and not a link, code or a formula."""
    node: nodes.Node = text.parent
    while node is not paragraph:
        if type(node) not in _PLAIN:
            return False
        node = node.parent
    return True


def _node(text: str, term: str) -> nodes.Node:
    return Term("", text, explanation=term) if term else nodes.Text(text)


class Finder:
    """Finds the terms of a glossary, each once."""

    def __init__(self, glossary: Mapping[str, str]) -> None:
        self.terms = {form.casefold(): term for form, term in glossary.items()}
        self.seen: set[str] = set()
        forms = sorted(glossary, key=len, reverse=True)  # of two that begin alike the longer one
        self.pattern = re.compile("|".join(map(_pattern, forms)), re.IGNORECASE)

    def split(self, text: str) -> Iterator[tuple[str, str]]:
        """Yield a text in pieces, each with the term behind it, which is empty for what lies between."""
        end = 0
        for match in self.pattern.finditer(text):
            term = self.terms[" ".join(match[0].split()).casefold()]
            if term in self.seen:
                continue
            self.seen.add(term)
            if match.start() > end:
                yield text[end : match.start()], ""
            yield match[0], term
            end = match.end()
        if end < len(text):
            yield text[end:], ""


def _pattern(form: str) -> str:
    """Return the pattern of a form: whole words, on whichever lines; Chinese has no spaces to go by."""
    words = r"\s+".join(map(re.escape, form.split()))
    return rf"\b{words}\b" if form[0] < "\u2e80" else words
