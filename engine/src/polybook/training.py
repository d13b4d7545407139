"""Which cells train, by the names of the functions that the author says do so."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence

from .dialect.python import parse_module

_FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef


def cells_that_train(codes: Sequence[str], names: Collection[str]) -> list[int]:
    """Return the numbers of the cells that train when they are run, from 0.

    Args:
        codes: The cells of a chapter. A function of theirs that calls one that trains does so, too.
        names: The functions and methods that train: `fit` stands for every call of `.fit(...)`.
    """
    if not any(name in code for code in codes for name in names):
        return []
    trees = [parse_module(code) or ast.Module([], []) for code in codes]
    functions = [node for tree in trees for node in ast.walk(tree) if isinstance(node, _FUNCTION)]
    called = {node.name: set(_calls(node.body)) for node in functions}
    training = set(names)
    while more := {name for name, calls in called.items() if calls & training} - training:
        training |= more
    return [number for number, tree in enumerate(trees) if training & set(_calls(tree.body))]


def _calls(body: Sequence[ast.AST]) -> Iterator[str]:
    """Yield the names of what statements call as they run, not in the functions that they define."""
    waiting = list(body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Call):
            yield node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if not isinstance(node, _FUNCTION | ast.Lambda):
            waiting += ast.iter_child_nodes(node)
