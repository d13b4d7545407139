"""Deciding `tab.selected(...)` in the code of a cell, once a framework is chosen.

Both steps read the syntax tree and change only the text that a decision is about: the first treats
expressions, `x if tab.selected("a") else y`, the second statements, `if tab.selected("a"):`.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from .cells import ALL
from .python import find_lines_inside_strings, last_line, parse_module, split_lines


def prune(code: str, framework: str) -> str:
    """Return the code with every `tab.selected(...)` decided for `framework`.

    Text that is not touched by a decision stays as it is, character for character. Code that is not
    Python comes back unchanged.
    """
    if "tab.selected" not in code:
        return code
    try:
        return _prune(code, framework)
    except RecursionError:  # nested deeper than any author would
        return code


def _prune(code: str, framework: str) -> str:
    module = parse_module(code)
    if module is None:
        return code
    source = _Source(code)
    if edits := sorted(_find_edits(module, source, framework)):
        code = _apply(edits, source.text).decode()
        module = parse_module(code) if "tab.selected" in code else None
        if module is None:
            return code
        source = _Source(code)
    pruner = _Pruner(source, framework, find_lines_inside_strings(code))
    pruner.block(module.body)
    return b"".join(pruner.lines).decode()


def _verdict(test: ast.expr, framework: str) -> bool | None:
    """Return what a test comes to, or `None` where it asks more than which framework is chosen."""
    match test:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="tab"), attr="selected"), args=args, keywords=[]):
            names = _literal_names(args)
            return None if names is None else framework in names or ALL in names
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            verdict = _verdict(operand, framework)
            return None if verdict is None else not verdict
        case ast.BoolOp(op=op, values=values):
            verdicts = [_verdict(value, framework) for value in values]
            decisive = isinstance(op, ast.Or)
            if decisive in verdicts:
                return decisive
            return None if None in verdicts else not decisive
    return None


def _literal_names(args: Sequence[ast.expr]) -> list[str] | None:
    """Return the names among the arguments of `tab.selected`, lists opened, if all are literal."""
    names: list[str] = []
    for arg in args:
        match arg:
            case ast.Constant(value=str(name)):
                names.append(name)
            case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
                inner = _literal_names(elements)
                if inner is None:
                    return None
                names += inner
            case _:
                return None
    return names


class _Source:
    """Code as bytes, as syntax trees count its columns."""

    def __init__(self, code: str) -> None:
        self.lines = [line.encode() for line in split_lines(code)]
        self.text = b"".join(self.lines)
        self._starts = list(accumulate(map(len, self.lines), initial=0))

    def offset(self, line: int, column: int) -> int:
        """Return the offset of a 1-based line and a 0-based column."""
        return self._starts[line - 1] + column

    def place(self, offset: int) -> tuple[int, int]:
        """Return the 1-based line and the 0-based column of an offset."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1]

    def span(self, node: ast.expr) -> tuple[int, int]:
        """Return where an expression begins and ends, parentheses around it left out."""
        end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
        return self.offset(node.lineno, node.col_offset), self.offset(end_line, end_column)


# ------------------------------------------------------------------ expressions

#: A change of the text: from, to, what stands there instead.
_Edit = tuple[int, int, bytes]

_GAP = rb"(?:[\s\\]|#[^\r\n]*[\r\n])*"
_OPENING = re.compile(rb"\(" + _GAP + rb"\Z")
_CLOSING = re.compile(_GAP + rb"\)")


def _find_edits(module: ast.Module, source: _Source, framework: str) -> Iterator[_Edit]:
    """Yield what to change so that no decision is left, but for the tests of `if` statements."""
    pending: list[ast.AST] = [module]
    while pending:
        node = pending.pop()
        match node:
            case ast.If(test=test) if _verdict(test, framework) is not None:
                pending += [*node.body, *node.orelse]
            case ast.IfExp(test=test) if (verdict := _verdict(test, framework)) is not None:
                parts = [node.body, node.test, node.orelse]
                kept = 0 if verdict else 2
                yield from _keep(node, parts, [kept], source)
                pending.append(parts[kept])
            case ast.expr() if (verdict := _verdict(node, framework)) is not None:
                yield (*source.span(node), b"True" if verdict else b"False")
            case ast.BoolOp(values=parts):
                undecided = [i for i, part in enumerate(parts) if _verdict(part, framework) is None]
                yield from _keep(node, parts, undecided, source)
                pending += [parts[i] for i in undecided]
            case ast.JoinedStr():  # Python 3.11 does not know the places inside
                continue
            case _:
                pending += ast.iter_child_nodes(node)


def _keep(node: ast.expr, parts: Sequence[ast.expr], kept: Sequence[int], source: _Source) -> Iterator[_Edit]:
    """Yield the changes that leave only some of the parts of `node`, which stand in the order of the text."""
    start, end = source.span(node)
    spans = [source.span(part) for part in parts]
    ends = [start, *(span[1] for span in spans)]
    starts = [*(span[0] for span in spans), end]
    spans = [_with_parentheses(source.text, spans[i], ends[i], starts[i + 1]) for i in kept]
    yield start, spans[0][0], b""
    yield spans[-1][1], end, b""
    operator = b" or " if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or) else b" and "
    for (one, two), (left, right) in zip(pairwise(kept), pairwise(spans), strict=True):
        if two > one + 1:
            yield left[1], right[0], operator


def _with_parentheses(text: bytes, span: tuple[int, int], low: int, high: int) -> tuple[int, int]:
    """Return a span widened by the parentheses around it that stand between `low` and `high`."""
    start, end = span
    while (before := _OPENING.search(text, low, start)) and (after := _CLOSING.match(text, end, high)):
        start, end = before.start(), after.end()
    return start, end


def _apply(edits: Iterable[_Edit], text: bytes) -> bytes:
    """Return the text changed; a blank keeps words apart that a deletion would join."""
    result = bytearray()
    done = 0
    for start, end, replacement in edits:
        result += text[done:start] + replacement
        done = end
        following = text[end : end + 1]
        if start < end and not replacement and _ends_in_word(result) and _ends_in_word(following):
            result += b" "
    return bytes(result + text[done:])


def _ends_in_word(text: bytes | bytearray) -> bool:
    return bool(text) and (chr(text[-1]).isalnum() or text[-1] in b"_\"'" or text[-1] > 127)


# ------------------------------------------------------------------- statements

_TO_COLON = re.compile(rb"(?:[\s\\)]|#[^\r\n]*[\r\n])*:")


@dataclass(frozen=True, slots=True)
class _Clause:
    """One branch of an `if` statement; lines are 1-based."""

    #: The test, or `None` for `else`.
    test: ast.expr | None
    #: The statements.
    body: list[ast.stmt]
    #: The first line that goes when the clause goes: comments above its keyword are about it.
    first: int
    #: The line of `if`, `elif` or `else`.
    line: int
    #: The line and the column of the colon.
    colon: tuple[int, int]
    #: The last line, comments below the last statement included.
    last: int

    @property
    def is_one_line(self) -> bool:
        """Whether the body begins behind the colon."""
        return self.body[0].lineno == self.colon[0]


class _Pruner:
    """Changes the lines of a cell in place, innermost statements first; a line that goes becomes empty."""

    def __init__(self, source: _Source, framework: str, in_strings: frozenset[int]) -> None:
        self.source = source
        self.framework = framework
        self.in_strings = in_strings
        self.lines = list(source.lines)

    def block(self, body: Sequence[ast.stmt]) -> bool:
        """Prune statements; return whether none is left."""
        gone = [self._statement(node) for node in body]
        return all(gone)

    def _statement(self, node: ast.stmt) -> bool:
        if isinstance(node, ast.If):
            return self._if(node)
        parts: list[ast.AST] = [node, *getattr(node, "handlers", []), *getattr(node, "cases", [])]
        for part in parts:
            for name in ("body", "orelse", "finalbody"):
                body = getattr(part, name, None)
                if body and self.block(body):
                    self._fill(body)
        return False

    def _if(self, node: ast.If) -> bool:
        clauses = list(self._clauses(node))
        kept, ends = [], False
        for clause in clauses:
            verdict = _verdict(clause.test, self.framework) if clause.test else True
            if verdict is not False:
                kept.append(clause)
            if verdict:
                ends = True
                break
        empty = [self.block(clause.body) for clause in kept]
        if ends and empty[-1]:
            kept.pop()
            ends = False
        for clause in clauses:
            if clause not in kept:
                self._remove(clause.first, clause.last)
        if not kept:
            return True
        if ends and len(kept) == 1:
            self._unwrap(kept[0], node)
            return False
        for clause, is_empty in zip(kept, empty, strict=False):
            if is_empty:
                self._fill(clause.body)
        self._set_keyword(kept[0], node, b"if")
        if ends and kept[-1].test:
            self._set_keyword(kept[-1], node, b"else")
        return False

    def _clauses(self, node: ast.If) -> Iterator[_Clause]:
        first, line = node.lineno, node.lineno
        test: ast.expr | None = node.test
        body, orelse = node.body, node.orelse
        while body:
            clause = self._clause(test, body, first, line)
            first, last = clause.last + 1, clause.last
            if orelse:  # blank lines between two branches go with either of them
                while not self.source.lines[last].strip():
                    last += 1
            yield replace(clause, last=last)
            if len(orelse) == 1 and isinstance(orelse[0], ast.If) and self._is_elif(orelse[0]):
                line = orelse[0].lineno
                test, body, orelse = orelse[0].test, orelse[0].body, orelse[0].orelse
            else:
                line = self._else_line(first) if orelse else 0
                test, body, orelse = None, orelse, []

    def _else_line(self, line: int) -> int:
        """Return the line of `else`, which comments may stand before."""
        while not self.source.lines[line - 1].lstrip().startswith(b"else"):
            line += 1
        return line

    def _is_elif(self, node: ast.If) -> bool:
        return self.source.lines[node.lineno - 1][node.col_offset :].startswith(b"elif")

    def _clause(self, test: ast.expr | None, body: list[ast.stmt], first: int, line: int) -> _Clause:
        text, lines = self.source.text, self.source.lines
        begin = self.source.span(test)[1] if test else text.index(b"else", self.source.offset(line, 0)) + 4
        found = _TO_COLON.match(text, begin)
        colon = self.source.place(found.end() - 1) if found else (line, 0)
        last = last_line(body[-1])
        if body[0].lineno > colon[0]:
            indent = self._indent(body[0])
            comments = range(last + 1, len(lines) + 1)
            for number in comments:
                content = lines[number - 1].strip()
                if content and not (content.startswith(b"#") and lines[number - 1].startswith(indent)):
                    break
                last = number if content else last
        return _Clause(test, body, first, line, colon, last)

    def _unwrap(self, clause: _Clause, node: ast.If) -> None:
        """Put the body in the place of the whole statement."""
        line = clause.colon[0]
        if clause.is_one_line:
            self._remove(clause.line, line - 1)
            behind = self.source.lines[line - 1][clause.body[0].col_offset :]
            self.lines[line - 1] = self._indent(node) + behind
            return
        self._remove(clause.line, line)
        old, new = self._indent(clause.body[0]), self._indent(node)
        for index in range(line, clause.last):
            if index + 1 not in self.in_strings:
                self.lines[index] = _reindent(self.lines[index], old, new)

    def _set_keyword(self, clause: _Clause, node: ast.If, keyword: bytes) -> None:
        """Make a clause begin with `if` or, its test gone, with `else`."""
        line, column = clause.colon
        if keyword == b"else":
            self._remove(clause.line, line - 1)
            self.lines[line - 1] = self._indent(node) + keyword + self.source.lines[line - 1][column:]
        elif clause.line != node.lineno:
            text = self.source.lines[clause.line - 1].lstrip()
            self.lines[clause.line - 1] = self._indent(node) + text.removeprefix(b"el")

    def _fill(self, body: Sequence[ast.stmt]) -> None:
        """Put `pass` where all statements of a block are gone."""
        line = self.source.lines[body[0].lineno - 1]
        self.lines[body[0].lineno - 1] = self._indent(body[0]) + b"pass" + line[len(line.rstrip(b"\r\n")) :]

    def _indent(self, node: ast.stmt) -> bytes:
        return self.source.lines[node.lineno - 1][: node.col_offset]

    def _remove(self, first: int, last: int) -> None:
        self.lines[first - 1 : last] = [b""] * (last - first + 1)


def _reindent(line: bytes, old: bytes, new: bytes) -> bytes:
    """Return a line moved from an indentation to a smaller one, or as far as its own allows."""
    if line.startswith(old):
        return new + line[len(old) :]
    content = line.lstrip(b" \t")
    return new + content if content.strip() and len(line) - len(content) > len(new) else line
