"""Walking through docutils' trees, which Sphinx does some forty times for every page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from docutils import nodes

_findall = nodes.Node.findall


def find_nodes(self: nodes.Node, condition: Any = None, *rest: bool, **options: bool) -> Iterator[nodes.Node]:
    """Return what `Node.findall` does; that hands each node through as many generators as it lies deep."""
    if rest or options:
        return iter(_findall(self, condition, *rest, **options))
    if condition is None:
        return _walk(self, nodes.Node)
    if isinstance(condition, type):
        return _walk(self, condition)
    return filter(condition, _walk(self, nodes.Node))


def _walk(root: nodes.Node, kind: type) -> Iterator[nodes.Node]:
    """Yield a node and all below it that are of a kind, each before its children."""
    if isinstance(root, kind):
        yield root
    open_nodes = [iter(root.children)]
    while open_nodes:
        for node in open_nodes[-1]:
            if isinstance(node, kind):
                yield node
            if node.children:
                open_nodes.append(iter(node.children))
                break
        else:
            open_nodes.pop()
