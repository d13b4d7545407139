"""Framework tabs: what belongs to some frameworks moves into tab-sets that all show one choice.

A page is one notebook for all frameworks. A code cell names its framework in its metadata
(`polybook.tab`), prose stands in a `framework-tab` directive:

    ::::{framework-tab} pytorch jax
    Prose for the readers of two frameworks.
    ::::

Neighbours of this kind become one tab-set: a panel for each framework that says its name. All panels
are to be read as they are; `static/tabs.js` shows one of them and makes tabs of the names. They are
moved after parsing because MyST-NB drops code cells that are nested in a directive.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective
from sphinx.writers.html5 import HTML5Translator

from ..frameworks import FRAMEWORKS, belongs
from .words import translate

#: What a tab says beside its name where the results in its panel are not those of the code.
_STATES = {"missing": "not run yet", "stale": "results out of date"}


class FrameworkPanel(nodes.container):
    """What a tab-set shows of one framework, the `framework`."""


def visit_panel(self: HTML5Translator, node: FrameworkPanel) -> None:
    """Begin a panel, which says its framework to the script."""
    told = {"data-framework": node["framework"]}
    self.body.append(self.starttag(node, "div", CLASS="framework-panel", **told))


def depart_panel(self: HTML5Translator, node: FrameworkPanel) -> None:
    """End a panel."""
    self.body.append("</div>\n")


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
    """Return the tab-set of a run; a framework without anything in it has no panel."""
    tab_set = nodes.container(classes=["framework-tabs"])
    tab_set.source, tab_set.line = run[0].source, run[0].line
    used: set[int] = set()
    for framework in shown:
        held = [node for node in run if framework in (_shown_frameworks(node, shown) or ())]
        contents: list[nodes.Node] = []
        for node in held:
            contents += [_copy(part) if id(node) in used else part for part in _contents(node)]
        used.update(map(id, held))
        if contents:
            tab_set += _panel(framework, contents)
    return tab_set


def _panel(framework: str, contents: Sequence[nodes.Node]) -> FrameworkPanel:
    title = FRAMEWORKS[framework].title
    name = nodes.paragraph("", "", nodes.inline("", title), classes=["framework-name"])
    states = {cell_metadata(node).get("state") for node in contents}
    for state in _STATES.keys() & states:
        name += nodes.Text(" ")
        name += nodes.inline("", translate(_STATES[state]), classes=["framework-state"])
    panel = FrameworkPanel("", name, *contents, framework=framework)
    panel.source, panel.line = contents[0].source, contents[0].line
    return panel


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
