"""Reading the Python of a cell: syntax trees and comments, IPython's magic lines allowed."""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

#: A line for IPython, with the lines that it goes on in after a backslash.
_MAGIC = re.compile(r"^([ \t]*)[%!?](?:\\\n|[^\n])*$", re.MULTILINE)
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


@dataclass(frozen=True, slots=True)
class Comment:
    """A Python comment."""

    #: 1-based line in the code.
    line: int
    #: 0-based column of the `#`.
    column: int
    #: The comment with its `#`.
    text: str
    #: Whether nothing stands before it on its line.
    is_alone: bool


def mask_magics(code: str) -> str:
    """Return the code with every magic or shell line replaced by `pass`, line for line."""
    return _MAGIC.sub(lambda match: match[1] + "pass" + "\n" * match[0].count("\n"), code)


def split_lines(code: str) -> list[str]:
    """Return the lines of a cell as Python counts them, line ends included."""
    return _LINE.findall(code)


def parse_module(code: str) -> ast.Module | None:
    """Return the syntax tree of a cell, or `None` where it is not Python."""
    return _parse(code) or _parse(mask_magics(code))


def _parse(code: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():  # invalid escapes are the author's, not ours to print
            warnings.simplefilter("ignore")
            return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def find_tokens(code: str) -> Iterator[tokenize.TokenInfo]:
    """Yield the tokens of a cell up to the first place that is not Python."""
    if _MAGIC.search(code) and _parse(code) is None:  # else a line that begins with `%` goes on from another
        code = mask_magics(code)
    try:
        yield from tokenize.generate_tokens(io.StringIO(code, newline=None).readline)
    except (tokenize.TokenError, SyntaxError):
        return


@lru_cache(maxsize=4096)  # a cell is asked for once for each framework
def find_comments(code: str) -> tuple[Comment, ...]:
    """Return the comments of a cell in order; a `#` inside a string is none."""
    if "#" not in code:
        return ()
    return tuple(
        Comment(*token.start, token.string, not token.line[: token.start[1]].strip())
        for token in find_tokens(code)
        if token.type == tokenize.COMMENT
    )


def may_break_strings(code: str) -> bool:
    """Return whether a string may go on from one line to the next; `False` is certain."""
    return any(mark in code for mark in ('"""', "'''", "\\\n"))


def find_lines_inside_strings(code: str) -> frozenset[int]:
    """Return the 1-based lines that begin inside a string."""
    if not may_break_strings(code):
        return frozenset()
    inside: set[int] = set()
    begun: list[int] = []  # where the f-strings began that are open; Python 3.12 cuts them into tokens
    for token in find_tokens(code):
        kind = tokenize.tok_name[token.type]
        if kind == "FSTRING_START":
            begun.append(token.start[0])
        elif kind == "FSTRING_END":
            inside.update(range(begun.pop() + 1, token.end[0] + 1))
        elif kind == "STRING":
            inside.update(range(token.start[0] + 1, token.end[0] + 1))
    return frozenset(inside)


def imported_names(codes: Iterable[str]) -> set[str]:
    """Return the names that import statements in these cells bind."""
    names: set[str] = set()
    for code in codes:
        module = parse_module(code) if "import" in code else None
        for node in ast.walk(module) if module else ():
            if isinstance(node, ast.Import | ast.ImportFrom):
                names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    return names


def imported_packages(code: str) -> set[str]:
    """Return the packages that code needs in order to be imported, the standard library's left out.

    What only a function imports is needed by its callers only.
    """
    packages: set[str] = set()
    module = parse_module(code) if "import" in code else None
    waiting: list[ast.AST] = [module] if module else []
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            packages |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            packages.add(node.module.partition(".")[0])
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)
    return packages - sys.stdlib_module_names


def first_line(statement: ast.stmt) -> int:
    """Return the 1-based line a statement begins on, its decorators included."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])


def last_line(statement: ast.stmt) -> int:
    """Return the 1-based line a statement ends on."""
    return statement.end_lineno or statement.lineno


def without_comments(code: str) -> str:
    """Return what a cell computes: the same for two cells that differ in comments and layout only.

    Code that is not Python comes back as it is, blanks at its end left out.
    """
    try:
        if tree := _parse(code):
            return ast.unparse(tree)
        if tree := _parse(mask_magics(code)):
            magics = (match[0].strip() for match in _MAGIC.finditer(code))
            return "\n".join([ast.unparse(tree), *magics])
    except RecursionError:  # nested deeper than any author would
        pass
    return code.rstrip()
