"""Aliases written as what they stand for: `d2l.concat` as `torch.cat`, `d2l.numpy(x)` as `x.numpy()`."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Mapping, Sequence
from inspect import Parameter, Signature
from typing import Any, NamedTuple

from ..dialect.python import parse_module
from .notebooks import library_attribute, library_names
from .scopes import dotted_path, find_uses
from .sources import find_span

#: What can be called, indexed or asked for an attribute without parentheses around it.
_PRIMARY = ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.List | ast.Tuple | ast.Dict | ast.Set
#: What needs parentheses also between the commas of a call.
_LOOSE = ast.NamedExpr | ast.Yield | ast.YieldFrom


class _Edit(NamedTuple):
    """A piece of text that takes the place of another."""

    start: int
    end: int
    text: str


def expand_aliases(code: str, module: str, aliases: Mapping[str, str]) -> str:
    """Return a cell with its aliases written as what they stand for; all other text stays as it is.

    A dotted name takes the alias's place everywhere. A `lambda` does where it is called with
    arguments that fit it: `d2l.reshape(X, (2, 3))` becomes `X.reshape((2, 3))`.

    Args:
        code: The cell's code.
        module: The library's package, `d2l`.
        aliases: What each alias stands for.
    """
    tree = parse_module(code)
    nodes = list(ast.walk(tree)) if tree else []
    if tree is None or not any(isinstance(node, ast.Attribute) and node.attr in aliases for node in nodes):
        return code
    libraries = library_names(nodes, module)
    calls = {node.func: node for node in nodes if isinstance(node, ast.Call)}
    found: list[tuple[ast.expr, ast.expr]] = []
    for use in find_uses(tree.body):
        name, node = library_attribute(use.node, libraries)
        meaning = _parse(aliases.get(name, ""))
        if node is None:
            continue
        if dotted_path(meaning):
            found.append((node, meaning))
        elif node in calls and isinstance(meaning, ast.Lambda):
            found.append((calls[node], meaning))
    return _Writer(code).write(found)


def free_names(expression: str) -> frozenset[str]:
    """Return the names that an alias's expression needs, Python's own left out."""
    return frozenset(use.path[0] for use in find_uses([_parse(expression)])) - {*dir(builtins)}


def _parse(text: str) -> ast.expr:
    """Return the expression that a text is, `None` where it is none."""
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return ast.Constant(None)


class _Writer:
    """Writes meanings into the text of a cell, the innermost first."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.edits: list[_Edit] = []

    def write(self, found: Sequence[tuple[ast.expr, ast.expr]]) -> str:
        """Return the code with each node replaced by its meaning."""
        spans = sorted((end - start, start, end, i) for i, (start, end) in enumerate(map(self._span, found)))
        for _, start, end, number in spans:
            node, meaning = found[number]
            if ast.dump(node) != ast.dump(_parse(f"({self.code[start:end]})")):
                continue  # inside an f-string, older Pythons give wrong positions
            text = self._inline(node, meaning) if isinstance(node, ast.Call) else ast.unparse(meaning)
            if text is not None:
                self.edits = [each for each in self.edits if not start <= each.start < end]
                self.edits.append(_Edit(start, end, text))
        return self._text(0, len(self.code))

    def _span(self, found: tuple[ast.expr, ast.expr]) -> tuple[int, int]:
        return find_span(self.code, found[0])

    def _text(self, start: int, end: int) -> str:
        """Return a piece of the code, edited."""
        text, last = "", start
        for edit in sorted(each for each in self.edits if start <= each.start < end):
            text += self.code[last : edit.start] + edit.text
            last = edit.end
        return text + self.code[last:end]

    def _inline(self, call: ast.Call, meaning: ast.expr) -> str | None:
        """Return a call of a lambda as the lambda's body, or `None` where that would change its meaning."""
        if not isinstance(meaning, ast.Lambda) or self._has_comment(call):
            return None
        try:
            bound = _signature(meaning.args).bind(*_positional(call), **_named(call))
        except TypeError:
            return None
        bound.apply_defaults()
        texts = {node: self._text(*find_span(self.code, node)) for node in _values(call)}
        template = _Template(bound.arguments, texts)
        body = template.visit(meaning.body)
        if not template.is_faithful:
            return None
        text = re.sub(r"__(\d+)__", lambda match: template.texts[int(match[1])], ast.unparse(body))
        return text if isinstance(body, _PRIMARY) else f"({text})"

    def _has_comment(self, call: ast.Call) -> bool:
        """Return whether a comment stands between a call's arguments; there is no place for it afterwards."""
        start, end = find_span(self.code, call)
        for node in (call.func, *_values(call)):
            upto, after = find_span(self.code, node)
            if "#" in self.code[start:upto]:
                return True
            start = after
        return "#" in self.code[start:end]


def _values(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def _positional(call: ast.Call) -> list[ast.expr]:
    if any(isinstance(each, ast.Starred) for each in call.args):
        raise TypeError("unknown arguments")
    return call.args


def _named(call: ast.Call) -> dict[str, ast.expr]:
    named = {each.arg: each.value for each in call.keywords if each.arg}
    if len(named) != len(call.keywords):
        raise TypeError("unknown arguments")
    return named


def _signature(arguments: ast.arguments) -> Signature:
    """Return what a lambda takes; the defaults are expressions."""
    positional = [*arguments.posonlyargs, *arguments.args]
    missing = [Parameter.empty] * (len(positional) - len(arguments.defaults))
    parameters = [
        Parameter(each.arg, Parameter.POSITIONAL_OR_KEYWORD, default=default)
        for each, default in zip(positional, [*missing, *arguments.defaults], strict=True)
    ]
    if arguments.vararg:
        parameters.append(Parameter(arguments.vararg.arg, Parameter.VAR_POSITIONAL))
    parameters += [
        Parameter(each.arg, Parameter.KEYWORD_ONLY, default=default or Parameter.empty)
        for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    ]
    if arguments.kwarg:
        parameters.append(Parameter(arguments.kwarg.arg, Parameter.VAR_KEYWORD))
    return Signature(parameters)


class _Template(ast.NodeTransformer):
    """Puts place holders where a lambda's body has its parameters, and keeps the text for each of them."""

    def __init__(self, arguments: Mapping[str, Any], given: Mapping[ast.expr, str]) -> None:
        self.arguments = arguments
        #: The text of each argument that is given; the others are defaults.
        self.given = given
        #: The text of each place holder: `__0__` is the first.
        self.texts: list[str] = []
        self._used: list[ast.expr] = []

    @property
    def is_faithful(self) -> bool:
        """Whether every argument is evaluated once, or it does not matter how often."""
        changeable = [node for node in self.given if not isinstance(node, ast.Name | ast.Constant)]
        return all(self._used.count(node) == 1 for node in changeable)

    def visit_Call(self, node: ast.Call) -> ast.Call:
        arguments = [each for argument in node.args for each in self._spread(argument)]
        keywords = [each for keyword in node.keywords for each in self._spread_keyword(keyword)]
        return ast.Call(self.visit(node.func), arguments, keywords)

    def visit_Name(self, node: ast.Name) -> ast.expr:
        value = self.arguments.get(node.id)
        if isinstance(value, tuple):
            return ast.Tuple([self._holder(each, is_argument=True) for each in value], ast.Load())
        return self._holder(value) if isinstance(value, ast.expr) else node

    def _spread(self, argument: ast.expr) -> list[ast.expr]:
        inner = argument.value if isinstance(argument, ast.Starred) else argument
        value = self.arguments.get(inner.id) if isinstance(inner, ast.Name) else None
        if isinstance(value, tuple) and isinstance(argument, ast.Starred):
            return [self._holder(each, is_argument=True) for each in value]
        if isinstance(value, ast.expr) and inner is argument:
            return [self._holder(value, is_argument=True)]
        return [self.visit(argument)]

    def _spread_keyword(self, keyword: ast.keyword) -> list[ast.keyword]:
        value = self.arguments.get(keyword.value.id) if isinstance(keyword.value, ast.Name) else None
        if isinstance(value, dict) and keyword.arg is None:
            return [ast.keyword(name, self._holder(each, is_argument=True)) for name, each in value.items()]
        if isinstance(value, ast.expr):
            return [ast.keyword(keyword.arg, self._holder(value, is_argument=True))]
        return [ast.keyword(keyword.arg, self.visit(keyword.value))]

    def _holder(self, node: ast.expr, *, is_argument: bool = False) -> ast.Name:
        text = self.given.get(node) or ast.unparse(node)
        is_primary = isinstance(node, _PRIMARY) and "\n" not in text
        is_clear = not isinstance(node, _LOOSE) if is_argument else is_primary
        self.texts.append(text if is_clear else f"({text})")
        self._used.append(node)
        return ast.Name(f"__{len(self.texts) - 1}__", ast.Load())
