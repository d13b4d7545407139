"""From the prose of a chapter to Markdown without the dialect.

`render` walks over a chapter's elements; a `Flavour` says how each construct looks in a notebook or
in a page of the site. What the two share (resolving roles, numbers and paths) stands here once.
"""

from __future__ import annotations

import functools
import posixpath
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from .dialect import Element, Role, replace_roles
from .dialect.roles import CITATIONS, REFERENCES
from .model import Comment, Fence, Figure, Heading, Math, Prose, TabBegin, TabEnd, Table
from .references import Chapter, Index, Kind, Target, is_bibliography


@functools.cache
def address(path: str, folder: str) -> str:
    """Return the relative address of `path` seen from `folder`, both in one tree."""
    return posixpath.relpath(path, folder or ".")


@dataclass(frozen=True, slots=True)
class Flavour(ABC):
    """How the constructs of the dialect look in one kind of Markdown."""

    #: The chapter that is written.
    chapter: str
    #: The chapter that holds the list of works, if one does.
    bibliography_chapter: str | None
    #: Gives the address of an image from its path in the book, `None` if there is no such file.
    find_image: Callable[[str], str | None]

    def chapter_link(self, chapter: str) -> str:
        """Return the address of another chapter."""
        return address(f"{chapter}.ipynb", posixpath.dirname(self.chapter))

    @abstractmethod
    def anchor(self, label: str) -> str:
        """Return the lines that make `label` a place to link to; they stand before it."""

    @abstractmethod
    def link(self, text: str, target: Target) -> str:
        """Return a reference to `target`."""

    @abstractmethod
    def cite(self, text: str, key: str) -> str:
        """Return a reference to an entry of the bibliography."""

    @abstractmethod
    def figure(self, address: str, caption: str, label: str | None, size: Sequence[tuple[str, str]]) -> str:
        """Return a figure; `size` holds (`width` or `height`, value)."""

    @abstractmethod
    def table(self, rows: str, caption: str, label: str | None) -> str:
        """Return a table with its caption."""

    @abstractmethod
    def math(self, tex: str, label: str | None) -> str:
        """Return a display formula."""

    @abstractmethod
    def tab_begin(self, frameworks: Sequence[str]) -> str:
        """Return the line that begins prose for some frameworks."""

    @abstractmethod
    def tab_end(self) -> str:
        """Return the line that ends prose for some frameworks."""

    @abstractmethod
    def fence(self, block: Fence) -> str:
        """Return a fenced block that is no code cell."""


_CJK = r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\u3000-\u303f]"
_CJK_LINE_BREAK = re.compile(rf"\n(?<={_CJK}\n)[ \t]*(?={_CJK})")
_LINK = re.compile(
    r"(?P<code>(?P<ticks>`+)(?:(?!\n[ \t\r]*\n).)+?(?<!`)(?P=ticks)(?!`))"
    r"|(?P<image>!?)\[(?P<text>[^\[\]]*)\]\((?P<path>[^()\s:#]+)(?P<anchor>#[^()\s]*)?\)",
    re.DOTALL,
)
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
_FENCE_LANGUAGE = re.compile(r"\{[ \t]*\.(\w+)")
_REFERENCE = re.compile(r"\{ref\}`([^`]*?) <[^<>`]*>`|\[([^\[\]]*)\]\([^()\s]*\)")
_SENTENCE_START = re.compile(
    r"(?:\A\s*|\n[ \t]*\n|(?<!\bcf)(?<!\bex)[.!?…]\s+|^[ \t]*(?:[*>-]|\d+\.)[ \t]+)[(\[*_«“\"\u00a0 ]*\Z",
    re.MULTILINE,
)
_TAB_END = Element(TabEnd(0, ""))


@dataclass(frozen=True, slots=True)
class Renderer:
    """Turns one chapter's prose into Markdown."""

    #: The chapter.
    chapter: Chapter
    #: What its references lead to.
    index: Index
    #: The kind of Markdown.
    flavour: Flavour
    #: Names of the chapters that can be linked to.
    chapters: frozenset[str]

    def render(self, elements: Sequence[Element]) -> str:
        """Return the Markdown of elements that are not code cells."""
        pieces = (_unix(self._element(element)).strip("\r\n") for element in _in_pairs(elements))
        return "\n\n".join(piece for piece in pieces if piece.strip())

    def _element(self, element: Element) -> str:
        block = element.block
        match block:
            case Prose(source=source):
                return self.inline(source)
            case Heading():
                return self._heading(block, element)
            case Figure():
                return self._figure(block, element)
            case Table():
                caption = self._caption(block.line, self.inline(block.caption), Kind.TABLE)
                return self.flavour.table(self.inline(block.rows), caption, self._label(element))
            case Math(tex=tex):
                number = self.index.numbers.get((self.chapter.name, block.line))
                tagged = f"{tex} \\tag{{{number}}}" if number else tex
                return self.flavour.math(tagged, self._label(element))
            case TabBegin(frameworks=frameworks):
                return self.flavour.tab_begin(frameworks)
            case TabEnd():
                return self.flavour.tab_end()
            case Fence():
                return self.flavour.fence(block)
            case Comment():
                return ""
        return self._bibliography(element) if is_bibliography(element) else ""

    def _heading(self, block: Heading, element: Element) -> str:
        number = self.index.numbers.get((self.chapter.name, block.line), "")
        words = [word for word in (number, self.inline(block.title)) if word]
        label = self._label(element)
        anchor = self.flavour.anchor(label) if label else ""
        return f"{anchor}{'#' * block.level} {' '.join(words)}"

    def _figure(self, block: Figure, element: Element) -> str:
        caption = self._caption(block.line, self.inline(block.caption), Kind.FIGURE)
        address = (
            block.path if is_address(block.path) else self.flavour.find_image(self._book_path(block.path))
        )
        label = self._label(element)
        if address is None:
            return (self.flavour.anchor(label) if label else "") + f"*{caption or block.path}*"
        size = [(mark.name, mark.value) for mark in element.marks if mark.name in ("width", "height")]
        return self.flavour.figure(address, caption, label, size)

    def _label(self, element: Element) -> str | None:
        """Return the label that leads to an element, and not to an earlier one of the same name."""
        mark = element.label
        target = self.index.targets.get(mark.value) if mark else None
        is_own = mark and target and (target.chapter, target.line) == (self.chapter.name, mark.line)
        return target.label if target and is_own else None

    def _caption(self, line: int, caption: str, kind: Kind) -> str:
        number = self.index.numbers.get((self.chapter.name, line))
        if number is None:
            return caption
        language = self.index.language
        start = str(getattr(language, kind.value)).format(number)
        start = start[0].upper() + start[1:]
        return f"{start}{language.caption_separator}{caption}" if caption else start

    def _bibliography(self, element: Element) -> str:
        """Return the list of works; it stands once in a chapter, and is linked to in one chapter."""
        if element is not next(filter(is_bibliography, self.chapter.elements)):
            return ""
        anchor = self.flavour.anchor if self.chapter.name == self.index.bibliography_chapter else _no_anchor
        listing = self.index.bibliography.listing(self.index.cited, self.index.language)
        return "\n\n".join(f"{anchor(work_anchor(key))}{text}" for key, text in listing)

    def _book_path(self, path: str) -> str:
        """Return a path that the chapter names as a path in the book."""
        folder = posixpath.dirname(self.chapter.document.path)
        return posixpath.normpath(posixpath.join(folder, path))

    def inline(self, text: str) -> str:
        """Return prose with its roles and links resolved."""
        text = _unix(text)
        markdown = replace_roles(text, lambda role: self._role(role, text))
        if "](" in text:  # what roles have become needs no mending
            markdown = _LINK.sub(self._link, markdown)
        return _CJK_LINE_BREAK.sub("", markdown) if not markdown.isascii() else markdown

    def _role(self, role: Role, text: str) -> str:
        if role.name in REFERENCES:
            links = [self._reference(key, role, text) for key in role.keys]
            return ", ".join(links)
        if role.name in CITATIONS:
            return self._citation(role)
        if role.name in ("label", "eqlabel", "width", "height", "begin_tab", "bibliography"):
            return ""  # a mark in the middle of prose names nothing; `check` reports it
        return f"`{role.value}`"

    def _reference(self, key: str, role: Role, text: str) -> str:
        target = self.index.targets.get(key)
        if target is None:
            return f"`{key}`"
        words = replace_roles(self.index.words(target, role.name), lambda inner: inner.value)
        if _SENTENCE_START.search(text, max(0, role.start - 40), role.start):
            words = words[0].upper() + words[1:]
        return self.flavour.link(words, target) if target.chapter in self.chapters else words

    def _citation(self, role: Role) -> str:
        texts, language = [], self.index.language
        for key in role.keys:
            if key not in self.index.bibliography.entries:
                texts.append(f"`{key}`")
                continue
            authors, year = self.index.bibliography.name(key, language)
            pattern = language.named if role.name == "citet" else language.cited
            texts.append(self.flavour.cite(pattern.format(authors=authors, year=year), key))
        joined = language.semicolon.join(texts)
        return joined if role.name == "citet" or not joined else language.brackets.format(joined)

    def _link(self, match: re.Match[str]) -> str:
        """Return a Markdown link or an image inside a sentence with its address put right."""
        if match["code"]:
            return match[0]
        path = self._book_path(match["path"])
        if match["image"]:
            address = self.flavour.find_image(path)
            return f"![{match['text']}]({address})" if address else f"*{match['text'] or path}*"
        if not match["path"].endswith(".md"):
            return match[0]
        name = chapter_linked(self.chapter, match["path"])
        if name not in self.chapters:
            return match["text"]
        target = self.index.targets.get((match["anchor"] or "#")[1:])
        if target is not None and target.chapter == name:
            return self.flavour.link(match["text"], target)
        return f"[{match['text']}]({self.flavour.chapter_link(name)})"


def _in_pairs(elements: Iterable[Element]) -> Iterator[Element]:
    """Yield elements so that tab blocks do not nest and all of them end; `check` reports the others."""
    is_open = False
    for element in elements:
        if isinstance(element.block, TabBegin):
            if is_open:
                yield _TAB_END
            is_open = True
        elif isinstance(element.block, TabEnd):
            if not is_open:
                continue
            is_open = False
        yield element
    if is_open:
        yield _TAB_END


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n") if "\r" in text else text


def is_address(path: str) -> bool:
    """Return whether an image's path is an address: of the web, or of data inside it."""
    return _ADDRESS.match(path) is not None


@dataclass(frozen=True, slots=True)
class Link:
    """A link or an image inside a sentence whose address is a file."""

    #: The file's path, seen from the chapter's folder.
    path: str
    #: The label after a `#`, or an empty text.
    label: str
    #: Whether it is an image.
    is_image: bool
    #: Where it stands in the text.
    start: int


def find_links(text: str) -> Iterator[Link]:
    """Yield the links and images in prose, those in code spans left out."""
    if "](" not in text:
        return
    for match in _LINK.finditer(text):
        if not match["code"]:
            label = (match["anchor"] or "#")[1:]
            yield Link(match["path"], label, bool(match["image"]), match.start())


def chapter_linked(chapter: Chapter, path: str) -> str:
    """Return the name of the chapter that a link from `chapter` to a `.md` file leads to."""
    folder = posixpath.dirname(f"{chapter.name}.md")
    return posixpath.normpath(posixpath.join(folder, path)).removesuffix(".md")


def fence_language(info: str) -> str:
    """Return what stands after a fence's backticks in plain Markdown: `python` for `{.python .x}`."""
    match = _FENCE_LANGUAGE.match(info)
    return match[1] if match else info


def plain_text(markdown: str) -> str:
    """Return a caption or a title for a place that knows no markup."""
    text = _REFERENCE.sub(lambda match: match[1] or match[2] or "", markdown)
    return " ".join(text.replace("`", "").replace("*", "").split())


def work_anchor(key: str) -> str:
    """Return the label of a work in the bibliography."""
    return "cite-" + re.sub(r"[^A-Za-z0-9]+", "-", key).lower()


def _no_anchor(label: str) -> str:
    return ""
