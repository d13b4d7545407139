"""The words of the search: cut alike in the index that Sphinx makes and in what a reader types.

Sphinx cuts Chinese only where a dictionary is installed, and its script cuts queries without one. Here
both cut Chinese into every two neighbouring characters. Accents do not matter in any language. The
counterpart in the browser is `static/search.js`.
"""

from __future__ import annotations

import re
import unicodedata
from importlib.resources import files
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.search import SearchLanguage
from sphinx.search.en import SearchEnglish
from sphinx.search.fr import SearchFrench
from sphinx.search.pt import SearchPortuguese

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
#: Where the metadata of pages have the phrases that they define.
_PHRASES = "polybook_phrases"
_DEFINITION = re.compile(r"^(?:class|def) (\w+)", re.MULTILINE)
_CHINESE = re.compile(rf"[{_HAN}]")
_WORD = re.compile(r"\w+")
_WORD_OR_CHINESE = re.compile(rf"(?P<han>[{_HAN}]+)|[^\W{_HAN}]+")


def cut(text: str) -> list[str]:
    """Return the words of a text: of Chinese each character and each pair, of others whole words."""
    if not _CHINESE.search(text):
        return _WORD.findall(text)
    words = []
    for match in _WORD_OR_CHINESE.finditer(text):
        word = match[0]
        words += [*word, *(word[at : at + 2] for at in range(len(word) - 1))] if match["han"] else [word]
    return words


def fold(word: str) -> str:
    """Return a word without its accents."""
    return "".join(part for part in unicodedata.normalize("NFD", word) if not unicodedata.combining(part))


class _Search(SearchLanguage):
    """What the searches of all languages share."""

    js_splitter_code = (files(__package__) / "static" / "search.js").read_text(encoding="utf-8")

    def split(self, input: str) -> list[str]:  # noqa: A002
        """Return the words of a text."""
        return cut(input)

    def __init__(self, options: dict[str, str]) -> None:
        super().__init__(options)
        self._stems: dict[str, str] = {}

    def stem(self, word: str) -> str:
        """Return what all forms of a word share."""
        if word not in self._stems:  # a book repeats its words, and stemming is slow
            self._stems[word] = super().stem(fold(word))
        return self._stems[word]


class EnglishSearch(_Search, SearchEnglish):
    """Search of English."""


class PortugueseSearch(_Search, SearchPortuguese):
    """Search of Portuguese."""


class FrenchSearch(_Search, SearchFrench):
    """Search of French."""


class ChineseSearch(_Search, SearchEnglish):
    """Search of Chinese, and of the English among it."""

    lang = "zh"
    language_name = "Chinese"


def index_definitions(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Handle `doctree-resolved`: what a page defines is found there first, like a word of a heading.

    Other pages use it, and Sphinx's index does not count how often. This is what code defines with `class`
    and `def`; `note_phrases` sees to what prose defines.
    """
    indexer = getattr(app.builder, "indexer", None)
    if indexer is None:  # a builder that makes no search
        return
    for block in doctree.findall(nodes.literal_block):
        for name in _DEFINITION.findall(block.astext()):
            for word in {name.lower(), indexer.lang.stem(name).lower()}:
                indexer._title_mapping.setdefault(word, set()).add(docname)


def note_phrases(app: Sphinx, doctree: nodes.document) -> None:
    """Handle `doctree-read`: note what a page emphasises (in Chinese in bold), by which prose defines."""
    kind = nodes.strong if app.config.language.startswith("zh") else nodes.emphasis
    phrases = {" ".join(emphasis.astext().split()) for emphasis in doctree.findall(kind)}
    typed = {fold(phrase).replace("’", "'") for phrase in phrases}
    app.env.metadata[app.env.docname][_PHRASES] = sorted(one for one in phrases | typed if len(one) > 1)


def complete_index(app: Sphinx) -> list[tuple[str, dict[str, Any], str]]:
    """Handle `html-collect-pages`: add what Sphinx does not know of pages that it did not write just now.

    These are the phrases that pages define. And it keeps words of its last index that no page has any more.
    """
    if indexer := getattr(app.builder, "indexer", None):
        for name, metadata in app.env.metadata.items():
            indexer._index_entries[name] = [(phrase, "", "main") for phrase in metadata.get(_PHRASES, ())]
        for pages in (indexer._mapping, indexer._title_mapping):
            for word in [word for word, names in pages.items() if not names]:
                del pages[word]
    return []


SEARCHES = (EnglishSearch, PortugueseSearch, FrenchSearch, ChineseSearch)
