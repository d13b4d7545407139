"""Work of the libraries' that no reader sees anything of, and that is not done."""

from __future__ import annotations

from functools import cache
from typing import Any

import docutils.frontend
import myst_nb.sphinx_
import sphinx_design.aside
import sphinx_design.dropdown
import sphinx_design.tabs
from docutils import nodes
from myst_nb.core.render import NbElementRenderer
from sphinx.addnodes import highlightlang
from sphinx.transforms.post_transforms.code import HighlightLanguageTransform, HighlightLanguageVisitor

_apply_languages = HighlightLanguageTransform.apply
_write_file = NbElementRenderer.write_file
_default_settings = cache(docutils.frontend.get_default_settings)


class NoCopies:
    """Stands for `nbformat` in MyST-NB, which would write the notebook of each page again, for nobody."""

    @staticmethod
    def writes(notebook: object) -> str:
        """Return the text of the copy."""
        return ""


def write_unless_empty(self: NbElementRenderer, path: list[str], content: bytes, **options: bool) -> str:
    """Write a file of a page's results, but nothing that is left out; return its address."""
    return _write_file(self, path, content, **options) if content else ""


def default_settings(*components: Any) -> Any:
    """Return docutils' default settings; MyST makes documents of them, which it rarely uses."""
    return _default_settings(*components).copy()


def apply_default_language(self: HighlightLanguageTransform) -> None:
    """Tell each block of code its language; the tree is only walked where it changes midway."""
    if next(iter(self.document.findall(highlightlang)), None):
        _apply_languages(self)
        return
    visitor = HighlightLanguageVisitor(self.document, self.config.highlight_language)
    visitor.visit_document(self.document)
    for block in self.document.findall(nodes.literal_block):
        visitor.visit_literal_block(block)


def is_component(node: nodes.Node, name: str) -> bool:
    """Tell whether a node is a part that sphinx-design made; that finds out by an error for each text."""
    return isinstance(node, nodes.Element) and node.get("design_component") == name


def save_work() -> None:
    """Let the libraries of this process do without it."""
    docutils.frontend.get_default_settings = default_settings
    HighlightLanguageTransform.apply = apply_default_language  # type: ignore[method-assign, assignment]
    for module in (sphinx_design.aside, sphinx_design.dropdown, sphinx_design.tabs):  # they look at all nodes
        module.is_component = is_component  # type: ignore[attr-defined]
    myst_nb.sphinx_.nbformat = NoCopies  # type: ignore[attr-defined, assignment]
    NbElementRenderer.write_file = write_unless_empty  # type: ignore[method-assign, assignment]
