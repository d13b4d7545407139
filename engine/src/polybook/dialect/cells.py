"""Marks inside the code of a cell: tabs, saves and set-up lines."""

from __future__ import annotations

import ast
import re
from bisect import bisect_left
from dataclasses import dataclass, replace
from itertools import accumulate

from ..model import Cell
from .python import find_comments, first_line, last_line, parse_module, split_lines

#: The framework name that means every framework.
ALL = "all"

_TAB_LINE = re.compile(r"^[ \t]*(?:#[ \t]*@tab|%%tab)\b[ \t:]*+(?P<tabs>[^#\n]*)[^\n]*\n?", re.MULTILINE)
_LEADING_LINES = re.compile(r"(?:[ \t]*+(?:#[^\n]*|%%[^\n]*)?\n)*+")
_SAVE_MARK = re.compile(r"(?<!\S)#[ \t]*@save\b")
_LOAD_LINE = re.compile(r"^[ \t]*%load_ext[ \t]+(?:d2lbook|polybook)\.tab\b[^\n]*\n?", re.MULTILINE)
_REQUIRED = re.compile(r"^[ \t]*#[ \t]*required_libs\((?P<libraries>[^\n]*)\n?", re.MULTILINE)
_QUOTED = re.compile(r"""["']([^"'\n]+)["']""")


@dataclass(frozen=True, slots=True)
class SavedStatement:
    """A top-level statement that a `#@save` mark puts into the library."""

    #: 1-based line of the mark in the code.
    mark_line: int
    #: The statement, or `None` where none follows the mark.
    node: ast.stmt | None
    #: The lines it stands on, its decorators included and the mark taken out.
    source: str


def split_tab_marks(code: str) -> tuple[tuple[str, ...] | None, str]:
    """Return the frameworks that a cell's tab marks name, and the code without the marks.

    The frameworks are `None` for a cell that has no mark with a name. Marks inside strings are none.
    """
    if "@tab" not in code and "%%tab" not in code:
        return None, code
    above = _LEADING_LINES.match(code)
    matches = list(_TAB_LINE.finditer(code, 0, above.end() if above else 0))
    if len(matches) < code.count("@tab") + code.count("%%tab"):
        matches = _find_tab_marks(code)
    if not matches:
        return None, code
    names = [name for match in matches for name in re.findall(r"[^\s,]+", match["tabs"])]
    rest, done = [], 0
    for match in matches:
        rest.append(code[done : match.start()])
        done = match.end()
    return tuple(dict.fromkeys(names)) or None, "".join(rest) + code[done:]


def _find_tab_marks(code: str) -> list[re.Match[str]]:
    """Return the tab marks anywhere in a cell."""
    masked = code.replace("%%tab", "#%tab")  # as long, and a comment for Python
    starts = list(accumulate(map(len, split_lines(masked)), initial=0))
    comments = {starts[comment.line - 1] for comment in find_comments(masked) if comment.is_alone}
    return [match for match in _TAB_LINE.finditer(code) if match.start() in comments]


def split_setup(code: str) -> tuple[tuple[str, ...], str]:
    """Return the libraries that `#required_libs(...)` names, and the code without set-up lines.

    Set-up lines load the tab selector, which a built notebook with its one framework does not need.
    """
    if ".tab" not in code and "interact_select" not in code and "required_libs" not in code:
        return (), code
    libraries = [name for match in _REQUIRED.finditer(code) for name in _QUOTED.findall(match["libraries"])]
    rest = _REQUIRED.sub("", _LOAD_LINE.sub("", code))
    module = parse_module(rest) if "interact_select" in rest else None
    if module is None:
        return tuple(libraries), rest
    lines = split_lines(rest)
    for node in module.body:
        match node:
            case ast.Expr(ast.Call(ast.Attribute(ast.Name("tab"), "interact_select"))):
                lines[node.lineno - 1 : last_line(node)] = [""] * (last_line(node) - node.lineno + 1)
    return tuple(libraries), "".join(lines)


def find_saved_statements(code: str) -> list[SavedStatement]:
    """Return the statements that `#@save` marks in a cell, in order, each once.

    A mark saves the top-level statement whose lines it stands on or in, otherwise the one that follows.
    """
    if "@save" not in code:
        return []
    module = parse_module(code)
    body = module.body if module else []
    lasts = [last_line(node) for node in body]
    lines = split_lines(code)
    saved: dict[int, SavedStatement] = {}
    for line, _ in _find_save_marks(code):
        index = bisect_left(lasts, line)
        node = body[index] if index < len(body) else None
        source = "".join(lines[first_line(node) - 1 : lasts[index]]) if node else ""
        key = index if node else -line
        if key not in saved:
            saved[key] = SavedStatement(line, node, strip_save_marks(source).rstrip("\r\n"))
    return list(saved.values())


def _find_save_marks(code: str) -> list[tuple[int, int]]:
    """Return the 1-based line and the 0-based column of each mark; what is left of it may be a comment."""
    return [
        (comment.line, comment.column + match.start())
        for comment in find_comments(code)
        if (match := _SAVE_MARK.search(comment.text))
    ]


def strip_save_marks(code: str) -> str:
    """Return the code without its `#@save` marks; a line that held nothing else goes too."""
    if "@save" not in code:
        return code
    lines = split_lines(code)
    for line, column in _find_save_marks(code):
        text = lines[line - 1]
        kept = text[:column].rstrip()
        lines[line - 1] = kept + text[len(text.rstrip("\r\n")) :] if kept else ""
    return "".join(lines)


def replace_code(cell: Cell, code: str) -> Cell:
    """Return the cell with other code, its fences and its indentation as they were.

    Only a fence that the code would close gets longer.
    """
    if code == cell.code:
        return cell
    opening, _, rest = cell.source.partition("\n")
    start = len(rest.rstrip())
    closing = rest[rest.rfind("\n", 0, start) + 1 :] if cell.closed else ""
    indent, fence = re.findall(r"^([ \t]*)(`+|~+)", opening)[0]
    inside = re.findall(rf"^[ \t]*({fence[0]}+)[ \t]*$", code, re.MULTILINE)
    if (longest := max(map(len, inside), default=0)) >= len(fence):
        longer = fence[0] * (longest + 1)
        opening, closing = (line.replace(fence, longer, 1) for line in (opening, closing))
    if code and not code.endswith("\n"):
        code += "\n"
    body = re.sub(r"^(?=[^\n])", indent, code, flags=re.MULTILINE) if indent else code
    if opening.endswith("\r"):
        body = body.replace("\n", "\r\n")
    return replace(cell, source=f"{opening}\n{body}{closing}", code=code)
