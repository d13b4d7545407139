"""Marks inside the code of a cell: tabs, saves and set-up lines."""

from __future__ import annotations

import ast
import re
import tokenize
from dataclasses import dataclass, replace

from ..model import Cell
from .python import Comment, find_comments, find_tokens, first_line, last_line, parse_module

#: The framework name that means every framework.
ALL = "all"

_TAB_LINE = re.compile(r"^[ \t]*(?:#[ \t]*@tab|%%tab)\b[ \t:]*(?P<tabs>[^\n]*?)[ \t]*$\n?", re.MULTILINE)
_LEADING_LINES = re.compile(r"(?:[ \t]*(?:#[^\n]*|%%[^\n]*)?(?:\n|\Z))*")
_SAVE_COMMENT = re.compile(r"#[ \t]*@save\b")
_SETUP_LINE = re.compile(
    r"^[ \t]*(?:%load_ext[ \t]+(?:d2lbook|polybook)\.tab|tab\.interact_select\([^\n]*\))[ \t]*$\n?",
    re.MULTILINE,
)
_REQUIRED = re.compile(r"^[ \t]*#[ \t]*required_libs\((?P<libraries>[^\n]*)\)[ \t]*$\n?", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class SavedStatement:
    """A top-level statement that a `#@save` mark puts into the library."""

    #: 1-based line of the mark in the code.
    mark_line: int
    #: The statement, or `None` where none follows the mark.
    node: ast.stmt | None
    #: The statement's text, its decorators included and the mark taken out.
    source: str


def split_tab_marks(code: str) -> tuple[tuple[str, ...] | None, str]:
    """Return the frameworks that a cell's tab marks name, and the code without the marks.

    The frameworks are `None` for a cell that has no mark. Marks inside strings are none.
    """
    if "@tab" not in code and "%%tab" not in code:
        return None, code
    matches = list(_TAB_LINE.finditer(code))
    leading = _LEADING_LINES.match(code)
    if leading is None or any(match.start() >= leading.end() for match in matches):
        in_string = _lines_inside_strings(code)
        matches = [m for m in matches if code.count("\n", 0, m.start()) + 1 not in in_string]
    if not matches:
        return None, code
    names = [name for match in matches for name in re.split(r"[\s,]+", match["tabs"]) if name]
    rest, done = [], 0
    for match in matches:
        rest.append(code[done : match.start()])
        done = match.end()
    return tuple(dict.fromkeys(names)), "".join(rest) + code[done:]


def _lines_inside_strings(code: str) -> frozenset[int]:
    """Return the lines that begin inside a string."""
    masked = _TAB_LINE.sub(lambda match: match[0].replace("%%", "# ", 1), code)
    return frozenset(
        line
        for token in find_tokens(masked)
        if token.type == tokenize.STRING
        for line in range(token.start[0] + 1, token.end[0] + 1)
    )


def split_setup(code: str) -> tuple[tuple[str, ...], str]:
    """Return the libraries that `#required_libs(...)` names, and the code without set-up lines.

    Set-up lines load the tab selector of `d2lbook`; a built notebook has one framework and needs none.
    """
    if ".tab" not in code and "interact_select" not in code and "required_libs" not in code:
        return (), code
    libraries = tuple(
        library
        for match in _REQUIRED.finditer(code)
        for library in re.findall(r"""["']([^"']+)["']""", match["libraries"])
    )
    return libraries, _REQUIRED.sub("", _SETUP_LINE.sub("", code))


def find_saved_statements(code: str) -> list[SavedStatement]:
    """Return the statements that `#@save` marks in a cell, in order, each once.

    A mark saves the top-level statement whose lines it stands on or in, otherwise the one that follows.
    """
    if "@save" not in code:
        return []
    marks = [comment for comment in find_comments(code) if _SAVE_COMMENT.match(comment.text)]
    module = parse_module(code)
    saved: dict[int, SavedStatement] = {}
    for mark in marks:
        node = _statement_of(mark, module.body if module else [])
        key = first_line(node) if node else -mark.line
        source = _statement_source(code, node) if node else ""
        saved.setdefault(key, SavedStatement(mark.line, node, source))
    return list(saved.values())


def _statement_of(mark: Comment, body: list[ast.stmt]) -> ast.stmt | None:
    """Return the statement that `mark` stands in, or else the next one."""
    return next((node for node in body if last_line(node) >= mark.line), None)


def _statement_source(code: str, node: ast.stmt) -> str:
    lines = code.splitlines()[first_line(node) - 1 : last_line(node)]
    return strip_save_marks("\n".join(lines))


def strip_save_marks(code: str) -> str:
    """Return the code without its `#@save` marks; a line that held nothing else goes too."""
    if "@save" not in code:
        return code
    lines = code.split("\n")
    gone: set[int] = set()
    for comment in find_comments(code):
        if _SAVE_COMMENT.match(comment.text):
            index = comment.line - 1
            lines[index] = lines[index][: comment.column].rstrip()
            if comment.is_alone:
                gone.add(index)
    return "\n".join(line for index, line in enumerate(lines) if index not in gone)


def replace_code(cell: Cell, code: str) -> Cell:
    """Return the cell with other code, its fences as they were."""
    opening, separator, rest = cell.source.partition("\n")
    if not separator:
        return cell
    closing = rest.splitlines(keepends=True)[-1] if cell.closed else ""
    if code and not code.endswith("\n"):
        code += "\n"
    if opening.endswith("\r"):
        code = code.replace("\n", "\r\n")
    return replace(cell, source=f"{opening}\n{code}{closing}", code=code.replace("\r\n", "\n"))
