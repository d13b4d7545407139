"""Framework tabs: what belongs to some frameworks moves into tab-sets that all show one choice.

A page is one notebook for all frameworks. A code cell names its framework in its metadata
(`polybook.tab`), prose stands in a `framework-tab` directive:

    ::::{framework-tab} pytorch jax
    Prose for the readers of two frameworks.
    ::::

Neighbours of this kind become one tab-set. They are moved after parsing because MyST-NB drops code
cells that are nested in a directive.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective
from sphinx_design.shared import create_component

from ..frameworks import FRAMEWORKS, belongs

#: The name under which browsers remember the choice, and its parameter in an address.
SYNC_GROUP = "framework"


class FrameworkTab(SphinxDirective):
    """`framework-tab`: prose for the frameworks that the argument names."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return a container that remembers its frameworks."""
        container = nodes.container(frameworks=self.arguments[0].split())
        self.set_source_info(container)
        self.state.nested_parse(self.content, self.content_offset, container)
        return [container]


class FrameworkTabs(SphinxTransform):
    """Moves the neighbours that belong to some frameworks into tab-sets."""

    #: After footnotes and references are resolved, before Sphinx collects images (880).
    default_priority = 870

    def apply(self, **kwargs: Any) -> None:
        """Arrange the children of every node that holds something tabbed, the innermost first."""
        shown: Sequence[str] = self.config.polybook_frameworks
        parents = {
            id(node.parent): node.parent
            for node in self.document.findall(nodes.container)
            if marked_frameworks(node) is not None
        }
        for parent in reversed(parents.values()):
            parent[:] = list(arrange(parent.children, shown))


def cell_metadata(node: nodes.Node) -> dict[str, Any]:
    """Return polybook's metadata of a code cell, nothing for any other node."""
    if not isinstance(node, nodes.container) or node.get("nb_element") != "cell_code":
        return {}
    return dict(node["cell_metadata"].get("polybook", {}))


def marked_frameworks(node: nodes.Node) -> Sequence[str] | None:
    """Return the frameworks a node is marked with, `None` where it belongs to the page as a whole."""
    if isinstance(node, nodes.container) and "frameworks" in node:
        return list(node["frameworks"])
    tab = cell_metadata(node).get("tab")
    return None if tab is None else [tab]


def arrange(children: Sequence[nodes.Node], shown: Sequence[str]) -> Iterable[nodes.Node]:
    """Yield the children, runs of tabbed ones as tab-sets.

    What belongs to no framework of the book goes, what belongs to all of them stays in its place
    without a tab; so a book with one framework has no tabs.

    Args:
        children: The nodes side by side.
        shown: The frameworks of the book, in the order of the tabs.
    """
    kept = [child for child in children if _shown_frameworks(child, shown) != []]
    for is_tabbed, run in groupby(kept, key=lambda child: _is_tabbed(child, shown)):
        if is_tabbed:
            tab_set = _tab_set(list(run), shown)
            yield from [tab_set] if tab_set.children else []
        else:
            for child in run:
                yield from _contents(child)


def _shown_frameworks(node: nodes.Node, shown: Sequence[str]) -> list[str] | None:
    marked = marked_frameworks(node)
    return None if marked is None else [name for name in shown if belongs(marked, name, default=name)]


def _is_tabbed(node: nodes.Node, shown: Sequence[str]) -> bool:
    names = _shown_frameworks(node, shown)
    return names is not None and len(names) < len(shown)


def _contents(node: nodes.Node) -> Sequence[nodes.Node]:
    """Return what a `framework-tab` holds, any other node itself."""
    if isinstance(node, nodes.container) and "frameworks" in node:
        return list(node.children)
    return [node]


def _tab_set(run: Sequence[nodes.Node], shown: Sequence[str]) -> nodes.container:
    """Return the tab-set of a run; a framework without anything in it has no tab."""
    tab_set: nodes.container = create_component("tab-set", classes=["sd-tab-set", "framework-tabs"])
    tab_set.source, tab_set.line = run[0].source, run[0].line
    used: set[int] = set()
    for framework in shown:
        held = [node for node in run if framework in (_shown_frameworks(node, shown) or ())]
        contents: list[nodes.Node] = []
        for node in held:
            contents += [_copy(part) if id(node) in used else part for part in _contents(node)]
        used.update(map(id, held))
        if contents:
            tab_set += _tab_item(framework, contents)
    return tab_set


def _tab_item(framework: str, contents: Sequence[nodes.Node]) -> nodes.container:
    """Return a tab in the shape of sphinx-design's own directive."""
    title = FRAMEWORKS[framework].title
    label = nodes.rubric(title, title, classes=["sd-tab-label"], sync_id=framework, sync_group=SYNC_GROUP)
    content = create_component("tab-content", classes=["sd-tab-content"], children=contents)
    item: nodes.container = create_component(
        "tab-item", classes=["sd-tab-item"], children=[label, content], selected=False
    )
    item.source, item.line = contents[0].source, contents[0].line
    return item


_NAMES = ("ids", "names", "dupnames", "backrefs")


def _copy(node: nodes.Node) -> nodes.Node:
    """Return a copy that nothing can link to: a page has every id once."""
    duplicate = node.deepcopy()
    for element in list(duplicate.findall(nodes.Element)):
        for name in _NAMES:
            element[name] = []
    for target in list(duplicate.findall(nodes.target)):
        if target.parent is not None:
            target.parent.remove(target)
    return duplicate
