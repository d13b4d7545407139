"""What Sphinx, docutils and Pygments do again for every page or cell, done in less time with the same result.

Half of the time of a large build went into highlighting and into walking through trees. This replaces
internal parts of pinned libraries; the tests compare with what they replace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from docutils import nodes
from ipython_pygments_lexers import IPython3Lexer
from pygments.lexers.python import PythonLexer
from sphinx.application import Sphinx

#: What every line of IPython's own begins or ends with.
_IPYTHON = frozenset("%!?")

_findall = nodes.Node.findall


class CellLexer(IPython3Lexer):
    """The lexer of code cells: IPython tries a dozen patterns of its own at every word of plain Python."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._python = PythonLexer(**options)

    def get_tokens_unprocessed(self, text: str, stack: tuple[str, ...] = ("root",)) -> Iterator[Any]:
        """Yield the tokens of a text with their places."""
        if _IPYTHON.isdisjoint(text):
            return iter(self._python.get_tokens_unprocessed(text, stack))
        return iter(super().get_tokens_unprocessed(text, stack))


def find_nodes(self: nodes.Node, condition: Any = None, *rest: bool, **options: bool) -> Iterator[nodes.Node]:
    """Return what `Node.findall` does; that hands each node through as many generators as it lies deep."""
    if rest or options:
        return iter(_findall(self, condition, *rest, **options))
    if condition is None:
        return _walk(self)
    if isinstance(condition, type):
        return (node for node in _walk(self) if isinstance(node, condition))
    return filter(condition, _walk(self))


def _walk(root: nodes.Node) -> Iterator[nodes.Node]:
    """Yield a node and all below it, each before its children."""
    yield root
    open_nodes = [iter(root.children)]
    while open_nodes:
        for node in open_nodes[-1]:
            yield node
            if node.children:
                open_nodes.append(iter(node.children))
                break
        else:
            open_nodes.pop()


def keep_formatters(app: Sphinx) -> None:
    """Handle `builder-inited`: Sphinx makes a formatter, with all its styles, for every block of code."""
    for name in ("highlighter", "dark_highlighter"):
        if bridge := getattr(app.builder, name, None):
            bridge.get_formatter = _kept(bridge.get_formatter)


def _kept(make: Callable[..., Any]) -> Callable[..., Any]:
    kept = lru_cache(make)

    def get(**options: Any) -> Any:
        try:
            return kept(**options)
        except TypeError:  # a list of lines to mark cannot be looked up
            return make(**options)

    return get


def speed_up(app: Sphinx) -> None:
    """Put all of this in place."""
    nodes.Node.findall = find_nodes  # type: ignore[method-assign, assignment]
    app.add_lexer("ipython3", CellLexer)
    app.connect("builder-inited", keep_formatters)
