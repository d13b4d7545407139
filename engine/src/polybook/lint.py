"""What is wrong with one chapter, judged from its text and the book's index."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass

from .diagnostics import Code, Diagnostic
from .dialect import find_roles, find_saved_statements, split_setup, split_tab_marks
from .dialect.cells import ALL
from .dialect.python import mask_magics, parse_module
from .markdown import chapter_linked, find_links, is_address
from .model import Block, Cell, Fence, Figure, Prose, TabBegin, TabEnd, Table
from .references import Chapter, Index, check_references


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a rule may know besides the chapter."""

    #: The index of the chapter's language.
    index: Index
    #: The names of the chapters that readers of the language get.
    chapters: Container[str]
    #: The frameworks of the book.
    frameworks: Sequence[str]
    #: Tells whether an image exists, given its path as the chapter names it.
    has_image: Callable[[str], bool]


Rule = Callable[[Chapter, Surroundings], Iterator[Diagnostic]]

#: A line of a paragraph that goes on with `1. ` in the next line, where a list begins for Markdown.
_BROKEN_BEFORE_NUMBER = re.compile(r"^(?![\s#>|]|[-*+]\s|\d+[.)]\s).*[\w,]\n(?=1[.)]\s)", re.MULTILINE)


def unclosed_fence(chapter: Chapter, _: Surroundings) -> Iterator[Diagnostic]:
    """Find fences without an end, which swallow the rest of the chapter."""
    for block in chapter.document.blocks:
        if isinstance(block, Cell | Fence) and not block.closed:
            what = "This fence is never closed, so the rest of the chapter is inside it."
            advice = "Close it with as many backticks on a line of their own."
            yield Diagnostic(chapter.document.path, block.line, Code.UNCLOSED_FENCE, what, advice)


def unbalanced_tab_block(chapter: Chapter, _: Surroundings) -> Iterator[Diagnostic]:
    """Find tab blocks whose beginnings and ends are not in pairs; they hold prose and do not nest."""
    path = chapter.document.path
    opened: TabBegin | None = None
    for block in chapter.document.blocks:
        if isinstance(block, TabBegin):
            if opened:
                yield _unclosed_tab(path, opened)
            opened = block
        elif isinstance(block, Cell) and opened:
            yield _unclosed_tab(path, opened)
            opened = None
        elif isinstance(block, TabEnd):
            if opened is None:
                what = "This `:end_tab:` ends nothing."
                advice = "Remove it or add its `:begin_tab:`."
                yield Diagnostic(path, block.line, Code.UNOPENED_TAB_BLOCK, what, advice)
            opened = None
    if opened:
        yield _unclosed_tab(path, opened)


def _unclosed_tab(path: str, block: TabBegin) -> Diagnostic:
    what = "This `:begin_tab:` has no `:end_tab:` before the next one, code cell or end of the chapter."
    return Diagnostic(path, block.line, Code.UNCLOSED_TAB_BLOCK, what, "Add `:end_tab:` after its prose.")


def unknown_framework(chapter: Chapter, around: Surroundings) -> Iterator[Diagnostic]:
    """Find tab marks and `tab.selected(...)` that name no framework of the book."""
    for block in chapter.document.blocks:
        for name, line in _frameworks_named(block):
            if name != ALL and name not in around.frameworks:
                what = f"The book has no framework `{name}`."
                advice = f"Known: {', '.join(around.frameworks)}; more are named in `_config.yml`."
                yield Diagnostic(chapter.document.path, line, Code.UNKNOWN_FRAMEWORK, what, advice)


def _frameworks_named(block: Block) -> Iterator[tuple[str, int]]:
    if isinstance(block, TabBegin):
        yield from ((name, block.line) for name in block.frameworks)
    if not isinstance(block, Cell):
        return
    yield from ((name, block.line) for name in split_tab_marks(block.code)[0] or ())
    module = parse_module(block.code) if "tab.selected" in block.code else None
    for node in ast.walk(module) if module else ():
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="tab"), attr="selected"), args=args):
                constants = (part for arg in args for part in ast.walk(arg) if isinstance(part, ast.Constant))
                yield from ((str(part.value), block.code_line + part.lineno - 1) for part in constants)


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


def accidental_list(chapter: Chapter, _: Surroundings) -> Iterator[Diagnostic]:
    """Find sentences broken before a number, which Markdown takes for the first item of a list."""
    for block in chapter.document.blocks:
        for match in _BROKEN_BEFORE_NUMBER.finditer(block.source) if isinstance(block, Prose) else ():
            line = block.line + block.source.count("\n", 0, match.end())
            what = "This line goes on with a sentence, but begins like an item of a list."
            advice = "Break the line elsewhere; before a list that is meant, leave a line empty."
            yield Diagnostic(chapter.document.path, line, Code.ACCIDENTAL_LIST, what, advice)


def invalid_code(chapter: Chapter, _: Surroundings) -> Iterator[Diagnostic]:
    """Find cells that are not Python; IPython's magic lines are allowed."""
    for cell in chapter.document.cells:
        code = split_setup(split_tab_marks(cell.code)[1])[1]
        has_other_language = code.lstrip().startswith("%%")
        if cell.closed and code.strip() and not has_other_language and parse_module(code) is None:
            what = "The code of this cell is not Python."
            line = cell.code_line + (_line_of_error(cell.code) or 0) - 1
            yield Diagnostic(chapter.document.path, line, Code.INVALID_CODE, what, "Mend its syntax.")


def _line_of_error(code: str) -> int | None:
    """Return the line of a cell's code where it stops being Python, if that is known."""
    try:
        ast.parse(mask_magics(code))
    except SyntaxError as error:
        return error.lineno
    except (ValueError, RecursionError, MemoryError):
        pass
    return None


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
    """Find images whose file does not exist."""
    for block in chapter.document.blocks:
        images: Iterable[tuple[str, int]] = ()
        if isinstance(block, Figure):
            images = [(block.path, 0)]
        elif isinstance(block, Prose | Table):
            images = [(link.path, link.start) for link in find_links(block.source) if link.is_image]
        for image, position in images:
            if not is_address(image) and not around.has_image(image):
                line = block.line + block.source.count("\n", 0, position)
                what = f"There is no image `{image}`."
                advice = "Mend the path, which starts at the chapter's folder, or add the file."
                yield Diagnostic(chapter.document.path, line, Code.MISSING_IMAGE, what, advice)


def dangling_link(chapter: Chapter, around: Surroundings) -> Iterator[Diagnostic]:
    """Find links to chapters that the book does not have, and to labels that these do not have."""
    file = chapter.document.path
    for block in chapter.document.blocks:
        links = find_links(block.source) if isinstance(block, Prose | Table) else ()
        for link in links:
            if link.is_image or not link.path.endswith(".md"):
                continue
            line = block.line + block.source.count("\n", 0, link.start)
            name = chapter_linked(chapter, link.path)
            target = around.index.targets.get(link.label)
            if name not in around.chapters:
                what = f"The book has no chapter `{link.path}`, seen from here."
                advice = "Mend the link or name the chapter in `_toc.yml`."
                yield Diagnostic(file, line, Code.UNKNOWN_CHAPTER, what, advice)
            elif link.label and (target is None or target.chapter != name):
                what = f"There is no label `{link.label}` in `{link.path}`."
                yield Diagnostic(
                    file, line, Code.UNKNOWN_LABEL, what, "Mend the link or label what it means."
                )


def dangling_reference(chapter: Chapter, around: Surroundings) -> Iterator[Diagnostic]:
    """Find references and citations that lead nowhere."""
    yield from check_references(chapter, around.index)


RULES: tuple[Rule, ...] = (
    unclosed_fence,
    unbalanced_tab_block,
    unknown_framework,
    misplaced_mark,
    accidental_list,
    invalid_code,
    save_without_statement,
    missing_image,
    dangling_link,
    dangling_reference,
)


def lint(chapter: Chapter, around: Surroundings) -> list[Diagnostic]:
    """Return what is wrong with a chapter, in the order of its lines."""
    found = (diagnostic for rule in RULES for diagnostic in rule(chapter, around))
    return sorted(found, key=lambda diagnostic: (diagnostic.line, diagnostic.code.value))
