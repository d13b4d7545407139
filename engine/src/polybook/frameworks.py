"""Choosing what a chapter says for one framework.

A cell belongs to the frameworks its tab marks name, an unmarked one to the default framework. Inside
a cell, `if tab.selected(...)` keeps or drops its body.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, replace

from .dialect import split_setup, split_tab_marks
from .dialect.cells import ALL
from .dialect.python import last_line, parse_module
from .model import Block, Cell, Document, TabBegin, TabEnd


@dataclass(frozen=True, slots=True)
class Framework:
    """What polybook knows of a framework."""

    #: The name in tab marks: `pytorch`.
    name: str
    #: The name a reader sees.
    title: str
    #: The module of the library: `d2l.torch`.
    module: str
    #: The distribution whose version goes into keys and provenance.
    distribution: str


FRAMEWORKS = {
    framework.name: framework
    for framework in (
        Framework("pytorch", "PyTorch", "torch", "torch"),
        Framework("tensorflow", "TensorFlow", "tensorflow", "tensorflow-cpu"),
        Framework("mxnet", "MXNet", "mxnet", "mxnet"),
        Framework("jax", "JAX", "jax", "jax"),
    )
}


def belongs(names: Sequence[str] | None, framework: str, default: str) -> bool:
    """Return whether something marked with `names` is part of `framework`."""
    if names is None:
        return framework == default
    return framework in names or ALL in names


def code_for(cell: Cell, framework: str, default: str) -> str | None:
    """Return a cell's code for a framework, or `None` where it has none.

    The marks that chose it are gone; `#@save` marks stay.
    """
    names, code = split_tab_marks(cell.code)
    if not belongs(names, framework, default):
        return None
    libraries, code = split_setup(code)
    if libraries:
        code = f"%pip install {' '.join(libraries)}\n{code}"
    code = prune(code, framework).strip("\n").rstrip()
    return code or None


def select(document: Document, framework: str, default: str) -> Document:
    """Return the chapter as it is for one framework: no tab marks, no other framework's code or prose."""
    blocks: list[Block] = []
    shown = True
    for block in document.blocks:
        if isinstance(block, TabBegin):
            shown = belongs(block.frameworks, framework, default)
        elif isinstance(block, TabEnd):
            shown = True
        elif not shown:
            continue
        elif isinstance(block, Cell):
            code = code_for(block, framework, default)
            if code is not None:
                blocks.append(replace(block, code=code))
        else:
            blocks.append(block)
    return replace(document, blocks=tuple(blocks))


def chapter_frameworks(document: Document, frameworks: Sequence[str], default: str) -> tuple[str, ...]:
    """Return the frameworks of the book that a chapter has code for, in the book's order.

    What is marked `all` follows the frameworks that the chapter names; a chapter that names none has all.
    """
    marks = [split_tab_marks(cell.code)[0] for cell in document.cells]
    named = {name for names in marks for name in names or () if name != ALL}
    if None in marks:
        named.add(default)
    if not named:
        return tuple(frameworks)
    return tuple(name for name in frameworks if name in named)


def prune(code: str, framework: str) -> str:
    """Return the code with every `tab.selected(...)` decided for `framework`.

    Text that is not touched by a decision stays as it is, character for character. Code that is not
    Python comes back unchanged.
    """
    if "tab.selected" not in code:
        return code
    module = parse_module(code)
    if module is None:
        return code
    lines = code.splitlines()
    pruned = _Pruner(lines, framework).statements(module.body, 1, len(lines), dedent=0)
    return "\n".join(pruned)


class _Pruner:
    """Rewrites the lines of one cell; a branch that stays moves left to its `if`."""

    def __init__(self, lines: list[str], framework: str) -> None:
        self.lines = lines
        self.framework = framework

    def statements(self, body: list[ast.stmt], start: int, end: int, dedent: int) -> list[str]:
        """Return lines `start` to `end` (1-based, inclusive), which hold `body`, moved left by `dedent`."""
        result: list[str] = []
        position = start
        for node in body:
            if not self._has_decision(node):
                continue
            result += self._moved(position, node.lineno - 1, dedent)
            result += self._statement(node, dedent)
            position = last_line(node) + 1
        return result + self._moved(position, end, dedent)

    def _statement(self, node: ast.stmt, dedent: int) -> list[str]:
        if isinstance(node, ast.If) and (verdict := self._verdict(node.test)) is not None:
            return self._branch(node, verdict, dedent)
        if isinstance(node, ast.If):
            return self._plain_if(node, dedent)
        bodies = [body for name in ("body", "orelse", "finalbody") if (body := getattr(node, name, None))]
        bodies[1:1] = [handler.body for handler in getattr(node, "handlers", [])]
        result: list[str] = []
        position = node.lineno
        for body in bodies:
            start, end = body[0].lineno, last_line(body[-1])
            result += self._moved(position, start - 1, dedent)
            result += self.statements(body, start, end, dedent) or self._pass(body[0], dedent)
            position = end + 1
        return result + self._moved(position, last_line(node), dedent)

    def _branch(self, node: ast.If, verdict: bool, dedent: int) -> list[str]:
        """Return the branch of a decided `if` that stays, in the place of the whole."""
        body = node.body if verdict else node.orelse
        if not body:
            return []
        if not verdict and self._is_elif(node):
            chained = body[0]
            assert isinstance(chained, ast.If)
            result = self._statement(chained, dedent)
            if result and result[0].lstrip().startswith("elif"):
                result[0] = result[0].replace("elif", "if", 1)
            return result
        if body[0].lineno == node.lineno:  # `if tab.selected("a"): x = 1`
            indent = " " * (node.col_offset - dedent)
            text = self.lines[node.lineno - 1].encode()[body[0].col_offset :].decode()
            return [indent + text]
        start = self._body_start(node, body, verdict)
        moved = dedent + body[0].col_offset - node.col_offset
        return self.statements(body, start, last_line(body[-1]), moved)

    def _plain_if(self, node: ast.If, dedent: int) -> list[str]:
        """Return an `if` whose own test stays, with what is decided inside it."""
        start, end = node.body[0].lineno, last_line(node.body[-1])
        result = self._moved(node.lineno, start - 1, dedent)
        result += self.statements(node.body, start, end, dedent) or self._pass(node.body[0], dedent)
        if not node.orelse:
            return result
        orelse = node.orelse
        if self._is_elif(node):
            chained = orelse[0]
            assert isinstance(chained, ast.If)
            return result + self._moved(end + 1, chained.lineno - 1, dedent) + self._elif(chained, dedent)
        start = orelse[0].lineno
        kept = self.statements(orelse, start, last_line(orelse[-1]), dedent)
        return result + (self._moved(end + 1, start - 1, dedent) + kept if kept else [])

    def _elif(self, node: ast.If, dedent: int) -> list[str]:
        """Return an `elif` of an `if` that stays; a decided one becomes `else:` or goes."""
        verdict = self._verdict(node.test)
        if verdict is None:
            return self._plain_if(node, dedent)
        if verdict:
            indent = " " * (node.col_offset - dedent)
            start, end = node.body[0].lineno, last_line(node.body[-1])
            return [f"{indent}else:", *self.statements(node.body, start, end, dedent)]
        if not node.orelse:
            return []
        if self._is_elif(node):
            chained = node.orelse[0]
            assert isinstance(chained, ast.If)
            return self._elif(chained, dedent)
        else_line = last_line(node.body[-1]) + 1
        return self.statements(node.orelse, else_line, last_line(node.orelse[-1]), dedent)

    def _body_start(self, node: ast.If, body: list[ast.stmt], verdict: bool) -> int:
        """Return the first line of a branch, comments above its first statement included."""
        header = last_line_of_test(node) if verdict else self._else_line(node)
        return header + 1

    def _else_line(self, node: ast.If) -> int:
        """Return the line that `else:` stands on."""
        line = last_line(node.body[-1]) + 1
        while not self.lines[line - 1].strip().startswith("else"):
            line += 1
        return line

    def _is_elif(self, node: ast.If) -> bool:
        orelse = node.orelse
        if len(orelse) != 1 or not isinstance(orelse[0], ast.If):
            return False
        line = self.lines[orelse[0].lineno - 1].encode()[orelse[0].col_offset :]
        return line.startswith(b"elif")

    def _verdict(self, test: ast.expr) -> bool | None:
        """Return what a test of frameworks comes to, or `None` where it asks something else."""
        match test:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="tab"), attr="selected"), args=args):
                return self.framework in set(_names(args))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                verdict = self._verdict(operand)
                return None if verdict is None else not verdict
            case ast.BoolOp(op=op, values=values):
                verdicts = [self._verdict(value) for value in values]
                decisive = isinstance(op, ast.Or)
                if decisive in verdicts:
                    return decisive
                return None if None in verdicts else not decisive
        return None

    def _has_decision(self, node: ast.stmt) -> bool:
        return any(
            isinstance(child, ast.If) and self._verdict(child.test) is not None for child in ast.walk(node)
        )

    def _pass(self, node: ast.stmt, dedent: int) -> list[str]:
        return [" " * (node.col_offset - dedent) + "pass"]

    def _moved(self, start: int, end: int, dedent: int) -> list[str]:
        """Return lines `start` to `end`, moved left as far as their own indentation allows."""
        return [
            line[min(dedent, len(line) - len(line.lstrip())) :] for line in self.lines[start - 1 : end]
        ]


def last_line_of_test(node: ast.If) -> int:
    """Return the line on which the test of an `if` ends."""
    return node.test.end_lineno or node.lineno


def _names(args: list[ast.expr]) -> list[str]:
    """Return the framework names among the arguments of `tab.selected`, lists opened."""
    names: list[str] = []
    for arg in args:
        if isinstance(arg, ast.Constant) and isinstance(arg.value, str):
            names.append(arg.value)
        elif isinstance(arg, ast.List | ast.Tuple | ast.Set):
            names += _names(arg.elts)
    return names
