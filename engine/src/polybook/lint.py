"""What is wrong with one chapter, judged from its text and the book's index."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from .diagnostics import Code, Diagnostic
from .dialect import find_roles, find_saved_statements, split_setup, split_tab_marks
from .dialect.cells import ALL
from .dialect.python import parse_module
from .model import Cell, Fence, Figure, Prose, TabBegin, TabEnd
from .references import Chapter, Index, check_references


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a rule may know besides the chapter."""

    #: The index of the chapter's language.
    index: Index
    #: The frameworks of the book.
    frameworks: Sequence[str]
    #: Tells whether an image exists, given its path as the chapter names it.
    has_image: Callable[[str], bool]


Rule = Callable[[Chapter, Surroundings], Iterator[Diagnostic]]


def unclosed_fence(chapter: Chapter, _: Surroundings) -> Iterator[Diagnostic]:
    """Find fences without an end, which swallow the rest of the chapter."""
    for block in chapter.document.blocks:
        if isinstance(block, Cell | Fence) and not block.closed:
            what = "This fence is never closed, so the rest of the chapter is inside it."
            advice = "Close it with as many backticks on a line of their own."
            yield Diagnostic(chapter.document.path, block.line, Code.UNCLOSED_FENCE, what, advice)


def unbalanced_tab_block(chapter: Chapter, _: Surroundings) -> Iterator[Diagnostic]:
    """Find tab blocks whose beginnings and ends are not in pairs; they do not nest."""
    path = chapter.document.path
    opened: TabBegin | None = None
    for block in chapter.document.blocks:
        if isinstance(block, TabBegin):
            if opened:
                yield _unclosed_tab(path, opened)
            opened = block
        elif isinstance(block, TabEnd):
            if opened is None:
                what = "This `:end_tab:` ends nothing."
                advice = "Remove it or add its `:begin_tab:`."
                yield Diagnostic(path, block.line, Code.UNOPENED_TAB_BLOCK, what, advice)
            opened = None
    if opened:
        yield _unclosed_tab(path, opened)


def _unclosed_tab(path: str, block: TabBegin) -> Diagnostic:
    what = "This `:begin_tab:` has no `:end_tab:`."
    return Diagnostic(path, block.line, Code.UNCLOSED_TAB_BLOCK, what, "Add `:end_tab:` after its prose.")


def unknown_framework(chapter: Chapter, around: Surroundings) -> Iterator[Diagnostic]:
    """Find tab marks that name no framework of the book."""
    for block in chapter.document.blocks:
        names: Sequence[str] = ()
        if isinstance(block, Cell):
            names = split_tab_marks(block.code)[0] or ()
        elif isinstance(block, TabBegin):
            names = block.frameworks
        for name in names:
            if name != ALL and name not in around.frameworks:
                what = f"The book has no framework `{name}`."
                advice = f"Known: {', '.join(around.frameworks)}; more are named in `_config.yml`."
                yield Diagnostic(chapter.document.path, block.line, Code.UNKNOWN_FRAMEWORK, what, advice)


def misplaced_mark(chapter: Chapter, _: Surroundings) -> Iterator[Diagnostic]:
    """Find labels, widths and heights that follow nothing they could be about."""
    path = chapter.document.path
    for element in chapter.elements:
        block = element.block
        if element.is_misplaced:
            yield _misplaced(path, block.line, block.source.strip())
        elif isinstance(block, Prose):
            for role in find_roles(block.source):
                if role.name in ("label", "eqlabel", "width", "height", "begin_tab"):
                    line = block.line + block.source.count("\n", 0, role.start)
                    yield _misplaced(path, line, f":{role.name}:`{role.value}`")


def _misplaced(path: str, line: int, mark: str) -> Diagnostic:
    what = f"The mark {mark} follows nothing that could carry it."
    advice = "Put it on the line after a heading, figure, table or formula."
    return Diagnostic(path, line, Code.MISPLACED_MARK, what, advice)


def invalid_code(chapter: Chapter, _: Surroundings) -> Iterator[Diagnostic]:
    """Find cells that are not Python; IPython's magic lines are allowed."""
    for cell in chapter.document.cells:
        code = split_setup(split_tab_marks(cell.code)[1])[1]
        if code.strip() and not code.lstrip().startswith("%%") and parse_module(code) is None:
            what = "The code of this cell is not Python."
            yield Diagnostic(chapter.document.path, cell.line, Code.INVALID_CODE, what, "Mend its syntax.")


def save_without_statement(chapter: Chapter, _: Surroundings) -> Iterator[Diagnostic]:
    """Find `#@save` marks with no statement to save."""
    for cell in chapter.document.cells:
        for saved in find_saved_statements(cell.code):
            if saved.node is None and parse_module(split_tab_marks(cell.code)[1]) is not None:
                line = cell.code_line + saved.mark_line - 1
                what = "There is no statement after this `#@save`."
                advice = "Put it on the line that begins the definition, or on the one before."
                yield Diagnostic(chapter.document.path, line, Code.SAVE_WITHOUT_STATEMENT, what, advice)


def missing_image(chapter: Chapter, around: Surroundings) -> Iterator[Diagnostic]:
    """Find figures whose file does not exist."""
    for block in chapter.document.blocks:
        if isinstance(block, Figure) and "://" not in block.path and not around.has_image(block.path):
            what = f"There is no image `{block.path}`."
            advice = "Mend the path, which starts at the chapter's folder, or add the file."
            yield Diagnostic(chapter.document.path, block.line, Code.MISSING_IMAGE, what, advice)


def dangling_reference(chapter: Chapter, around: Surroundings) -> Iterator[Diagnostic]:
    """Find references and citations that lead nowhere."""
    yield from check_references(chapter, around.index)


RULES: tuple[Rule, ...] = (
    unclosed_fence,
    unbalanced_tab_block,
    unknown_framework,
    misplaced_mark,
    invalid_code,
    save_without_statement,
    missing_image,
    dangling_reference,
)


def lint(chapter: Chapter, around: Surroundings) -> list[Diagnostic]:
    """Return what is wrong with a chapter, in the order of its lines."""
    found = (diagnostic for rule in RULES for diagnostic in rule(chapter, around))
    return sorted(found, key=lambda diagnostic: (diagnostic.line, diagnostic.code.value))
