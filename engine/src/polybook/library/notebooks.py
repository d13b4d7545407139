"""Where the code of a notebook uses the library."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from ..dialect.python import parse_module
from .definitions import ALL_NAMES
from .scopes import dotted_path

_WORD = re.compile(r"[^\W\d]\w*")


def names_used(code: str, module: str) -> frozenset[str]:
    """Return the names of the library that code may use; rather too many than too few.

    `*` is among them where the code takes the library as a whole, `dir(d2l)` for example. Code that
    is not Python may use every word in it.

    Args:
        code: One cell or all cells of a notebook.
        module: The library's package, `d2l`; as a name it means the library also without an import.
    """
    tree = parse_module(code)
    if tree is None:
        return frozenset(_WORD.findall(code))
    nodes = list(ast.walk(tree))
    libraries = library_names(nodes, module)
    names = set(_imported_names(nodes, module))
    wholes: set[ast.expr] = set()
    parts: set[ast.expr] = set()
    for node in nodes:
        if isinstance(node, ast.Name | ast.Attribute) and (path := dotted_path(node)):
            if path in libraries and isinstance(node.ctx, ast.Load):
                wholes.add(node)
            if isinstance(node, ast.Attribute) and path[:-1] in libraries:
                names.add(node.attr)
                parts.add(node.value)
    return frozenset(names | {ALL_NAMES} if wholes - parts else names)


def library_attribute(
    node: ast.expr, libraries: frozenset[tuple[str, ...]]
) -> tuple[str, ast.Attribute | None]:
    """Return `X` and the expression `d2l.X` where a dotted name begins like this, and it is read."""
    while isinstance(node, ast.Attribute):
        if dotted_path(node.value) in libraries and isinstance(node.ctx, ast.Load):
            return node.attr, node
        node = node.value
    return "", None


def library_names(nodes: Iterable[ast.AST], module: str) -> frozenset[tuple[str, ...]]:
    """Return the dotted names that mean the library."""
    names: set[tuple[str, ...]] = {(module,)}
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] == module:
                    names.add((alias.asname,) if alias.asname else tuple(alias.name.split(".")))
        elif isinstance(node, ast.ImportFrom) and node.module == module:
            names |= {(alias.asname or alias.name,) for alias in node.names}
    return frozenset(names)


def _imported_names(nodes: Iterable[ast.AST], module: str) -> Iterator[str]:
    """Yield the names that are imported out of the library, `*` for a star import."""
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{module}."):
            yield from (alias.name for alias in node.names)
