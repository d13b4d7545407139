"""What code cells show besides their code: words for pictures, notices about results."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.transforms import SphinxTransform

from .tabs import cell_metadata
from .words import translate

#: What a reader is told of a cell's results, by the `state` in its metadata.
NOTICES = {
    "stale": "These results come from an earlier version of this code.",
    "missing": "This code has not been run yet.",
}


class OutputImages(SphinxTransform):
    """Gives the pictures among the results their alternative text.

    It is the text that comes with the picture; a picture that comes with none, or with no more than
    Python's `<Figure ...>`, is said to be made by the code.
    """

    default_priority = 860

    def apply(self, **kwargs: Any) -> None:
        """Set the alternative text of every picture among the results."""
        for bundle in self.document.findall(_is_bundle):
            for image in bundle.findall(nodes.image):
                image["alt"] = _sentence(bundle) or translate("Picture made by the code above.")


class Notices(SphinxTransform):
    """Tells readers where results are out of date or do not exist."""

    default_priority = 860

    def apply(self, **kwargs: Any) -> None:
        """Add the notices behind the code."""
        for cell in list(self.document.findall(nodes.container)):
            text = NOTICES.get(cell_metadata(cell).get("state", ""))
            if text:
                classes = ["polybook-notice", f"polybook-{cell_metadata(cell)['state']}"]
                notice = nodes.paragraph("", translate(text), classes=classes)
                cell.insert(1, notice)


def _is_bundle(node: nodes.Node) -> bool:
    return isinstance(node, nodes.container) and node.get("nb_element") == "mime_bundle"


def _sentence(bundle: nodes.Node) -> str:
    """Return the text beside a picture, nothing where it is Python's name of an object."""
    for part in bundle.children:
        if isinstance(part, nodes.container) and part.get("mime_type") == "text/plain":
            text = " ".join(part.astext().split())
            return "" if text.startswith("<") and text.endswith(">") else text.strip("'\"")
    return ""
