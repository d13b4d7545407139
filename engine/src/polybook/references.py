"""One index of everything in a book that can be referred to, with its number.

Numbers are given here, once, for pages and notebooks alike. A chapter's number comes from the table
of contents, a section's from the headings in the chapter; figures, tables and labelled equations
count on from 1 in every chapter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from .config import TocEntry
from .diagnostics import Code, Diagnostic
from .dialect import Element, Role, find_elements, find_roles
from .dialect.roles import CITATIONS, REFERENCES
from .languages import Language
from .model import Cell, Comment, Document, Fence, Figure, Heading, Mark, Math, Table

if TYPE_CHECKING:  # the reader of bibliographies is slow to import
    from .citations import Bibliography


class Kind(Enum):
    """What a label can name."""

    CHAPTER = "chapter"
    SECTION = "section"
    FIGURE = "figure"
    TABLE = "table"
    EQUATION = "equation"


@dataclass(frozen=True, slots=True)
class Target:
    """Something that a reference leads to."""

    #: The label that names it.
    label: str
    #: What it is.
    kind: Kind
    #: The chapter it stands in.
    chapter: str
    #: The file it stands in, for messages.
    path: str
    #: The line of its label.
    line: int
    #: Its number, `3.2`, or an empty text where the book does not number it.
    number: str
    #: Its heading or caption.
    title: str


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chapter in one language, ready to be referred to."""

    #: Its place in the book.
    entry: TocEntry
    #: Its text.
    document: Document
    #: The text's blocks, each with its marks.
    elements: tuple[Element, ...]

    @property
    def name(self) -> str:
        """The chapter's name in the table of contents."""
        return self.entry.chapter

    @classmethod
    def of(cls, entry: TocEntry, document: Document) -> Chapter:
        """Return the chapter that `document` is the text of."""
        return cls(entry, document, tuple(find_elements(document.blocks)))


@dataclass(frozen=True, slots=True)
class Index:
    """Everything in one language of a book that can be referred to."""

    #: The language whose words stand before the numbers.
    language: Language
    #: What each label names.
    targets: Mapping[str, Target]
    #: Numbers of headings, figures, tables and equations by chapter and line.
    numbers: Mapping[tuple[str, int], str]
    #: The works that can be cited.
    bibliography: Bibliography
    #: The keys cited anywhere in the book.
    cited: frozenset[str]
    #: The chapter that holds the list of works, if one does.
    bibliography_chapter: str | None
    #: Duplicate labels.
    diagnostics: tuple[Diagnostic, ...]

    def words(self, target: Target, role: str) -> str:
        """Return the text of a reference: `Section 3.2`, `(3.1)`, or the title of what has no number."""
        if role == "ref" or not target.number:
            return target.title or target.label
        if target.kind is Kind.EQUATION:
            return f"({target.number})"
        return str(getattr(self.language, target.kind.value)).format(target.number)


def build_index(chapters: Sequence[Chapter], language: Language, bibliography: Bibliography) -> Index:
    """Return the index of one language of a book, its chapters in reading order."""
    targets: dict[str, Target] = {}
    numbers: dict[tuple[str, int], str] = {}
    diagnostics: list[Diagnostic] = []
    for chapter in chapters:
        for element, kind, number in _numbered(chapter):
            numbers[chapter.name, element.block.line] = number
            mark = element.label
            if mark is None:
                continue
            target = Target(
                mark.value, kind, chapter.name, chapter.document.path, mark.line, number, _title(element)
            )
            if mark.value in targets:
                diagnostics.append(_duplicate(target, targets[mark.value]))
            else:
                targets[mark.value] = target
    elements = [(chapter, element) for chapter in chapters for element in chapter.elements]
    holders = (chapter.name for chapter, element in elements if is_bibliography(element))
    return Index(
        language=language,
        targets=targets,
        numbers=numbers,
        bibliography=bibliography,
        cited=frozenset(key for chapter, element in elements for key in _cited(element)),
        bibliography_chapter=next(holders, None),
        diagnostics=tuple(diagnostics),
    )


def is_bibliography(element: Element) -> bool:
    """Return whether the list of works cited stands here."""
    return isinstance(element.block, Mark) and element.block.name == "bibliography"


def _numbered(chapter: Chapter) -> Iterator[tuple[Element, Kind, str]]:
    """Yield what a chapter numbers or labels, with its number."""
    start = ".".join(map(str, chapter.entry.number))
    counts = dict.fromkeys(Kind, 0)
    sections: list[int] = []
    for element in chapter.elements:
        block = element.block
        if isinstance(block, Heading) and block.level == 1:
            kind = Kind.CHAPTER if len(chapter.entry.number) < 2 else Kind.SECTION
            yield element, kind, start
        elif isinstance(block, Heading):
            depth = block.level - 1
            sections = [*sections, *[0] * depth][:depth]
            sections[-1] += 1
            yield element, Kind.SECTION, ".".join([start, *map(str, sections)]) if start else ""
        elif (kind_or_none := _counted_kind(element)) is not None:
            counts[kind_or_none] += 1
            count = str(counts[kind_or_none])
            yield element, kind_or_none, f"{start}.{count}" if start else count


def _counted_kind(element: Element) -> Kind | None:
    match element.block:
        case Figure(caption=caption) if caption or element.label:
            return Kind.FIGURE
        case Table(caption=caption) if caption or element.label:
            return Kind.TABLE
        case Math() if element.label:
            return Kind.EQUATION
    return None


def _title(element: Element) -> str:
    match element.block:
        case Heading(title=title):
            return title
        case Figure(caption=caption) | Table(caption=caption):
            return caption
    return ""


def _duplicate(target: Target, first: Target) -> Diagnostic:
    what = f"The label `{target.label}` is already at {first.path}:{first.line}."
    return Diagnostic(target.path, target.line, Code.DUPLICATE_LABEL, what, "Give one of them another name.")


def roles_of(element: Element) -> Iterator[tuple[Role, int]]:
    """Yield the roles in an element's prose, each with its line."""
    block = element.block
    if isinstance(block, Cell | Fence | Comment | Mark):
        return
    for role in find_roles(block.source):
        yield role, block.line + block.source.count("\n", 0, role.start)


def _cited(element: Element) -> Iterable[str]:
    return (key for role, _ in roles_of(element) if role.name in CITATIONS for key in role.keys)


def check_references(chapter: Chapter, index: Index) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each reference, citation and role in a chapter that leads nowhere."""
    path = chapter.document.path
    for element in chapter.elements:
        for role, line in roles_of(element):
            if role.name in REFERENCES:
                for key in role.keys or ("",):
                    if key not in index.targets:
                        what = f"There is no label `{key}` in this language's chapters."
                        advice = "Mend the name or label what it means."
                        yield Diagnostic(path, line, Code.UNKNOWN_LABEL, what, advice)
            elif role.name in CITATIONS:
                for key in role.keys or ("",):
                    if key not in index.bibliography.entries:
                        what = f"There is no work `{key}` in the bibliography."
                        advice = "Add it to the .bib file or mend the key."
                        yield Diagnostic(path, line, Code.UNKNOWN_CITATION, what, advice)
            elif role.name not in ("label", "eqlabel", "width", "height", "begin_tab", "bibliography"):
                what = f"The dialect has no role `:{role.name}:`."
                known = ", ".join(sorted(REFERENCES | CITATIONS))
                yield Diagnostic(path, line, Code.UNKNOWN_ROLE, what, f"Known roles: {known}.")
