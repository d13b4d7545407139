"""Anchors of sections that are the same in every language, so that a reader stays at a place.

Sphinx would make them of the translated titles, and of Chinese ones numbers.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from docutils import nodes
from sphinx.transforms import SphinxTransform

from .metadata import ANCHORS


class SectionAnchors(SphinxTransform):
    """Gives sections the anchors that the page's metadata name."""

    #: After labels have become anchors beside those of the titles, before Sphinx collects sections (880).
    default_priority = 860

    def apply(self, **kwargs: Any) -> None:
        """Put each anchor in the place of the one that was made from the title."""
        sections = list(self.document.findall(nodes.section))
        anchors = self._anchors()
        if len(anchors) != len(sections):
            return
        named = self.document.nametypes
        labels = {self.document.nameids[name] for name, is_explicit in named.items() if is_explicit}
        for section, anchor in zip(sections, anchors, strict=True):
            section["ids"] = [anchor, *(one for one in section["ids"] if one in labels)]
            self.document.ids[anchor] = section

    def _anchors(self) -> Sequence[str]:
        for field in self.document.findall(nodes.field):
            name, body = field.children
            if name.astext() == ANCHORS:
                return list(json.loads(body.astext()))
        return ()
