"""What code cells show besides their code: words for pictures, notices about results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx.writers.html5 import HTML5Translator

from .plots import sentence
from .tabs import cell_metadata
from .words import PICTURE, translate

#: The `state` in a cell's metadata where its results need a notice.
STALE, MISSING = "stale", "missing"

#: The most lines of a result that is not to be folded.
_LONG = 20

_ALL_STALE = "The results on this page come from an earlier version of the code."
_ALL_MISSING = "The code on this page has not been run yet."
_ONE_MISSING = "This code has not been run yet."


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
                image["alt"] = _sentence(bundle) or translate(PICTURE)


class Notices(SphinxTransform):
    """Tells readers where results are out of date or do not exist.

    What holds for a framework's whole page is said once, at its first cell.
    """

    default_priority = 860

    def apply(self, **kwargs: Any) -> None:
        """Add the notices behind the code."""
        found = self.document.findall(nodes.container)
        cells = [(node, cell_metadata(node)) for node in found if node.get("nb_element") == "cell_code"]
        texts: dict[nodes.container, str] = {}
        for tab in {metadata["tab"] for _, metadata in cells if "tab" in metadata} or {None}:
            read = [(cell, metadata) for cell, metadata in cells if metadata.get("tab") in (tab, None)]
            states = [metadata.get("state", "") for _, metadata in read]
            for (cell, _), text in zip(read, notices(states), strict=True):
                texts[cell] = texts.get(cell, "") or text
        for cell, metadata in cells:
            if texts[cell]:
                classes = ["polybook-notice", f"polybook-{metadata['state']}"]
                cell.insert(1, nodes.paragraph("", translate(texts[cell]), classes=classes))


class Fold(nodes.container):
    """A long result that readers can fold away, with its `lines`."""


def visit_fold(self: HTML5Translator, node: Fold) -> None:
    """Begin a fold, open."""
    words = translate("Output of {} lines").format(node["lines"])
    self.body.append(f'<details class="polybook-fold" open><summary>{words}</summary>\n')


def depart_fold(self: HTML5Translator, node: Fold) -> None:
    """End a fold."""
    self.body.append("</details>\n")


class Folds(SphinxTransform):
    """Makes results foldable that are longer than a screen."""

    default_priority = 860

    def apply(self, **kwargs: Any) -> None:
        """Wrap each long text among the results."""
        for block in list(self.document.findall(nodes.literal_block)):
            lines = block.astext().rstrip("\n").count("\n") + 1
            if "output" in block["classes"] and lines > _LONG:
                block.replace_self(Fold("", block.deepcopy(), lines=lines))


def notices(states: Sequence[str]) -> list[str]:
    """Return the notice beside each cell of one framework, by its state; mostly there is none."""
    if set(states) == {MISSING}:
        return [_ALL_MISSING] + [""] * (len(states) - 1)
    texts = [_ONE_MISSING if state == MISSING else "" for state in states]
    if STALE in states:
        texts[states.index(STALE)] = _ALL_STALE
    return texts


def _is_bundle(node: nodes.Node) -> bool:
    return isinstance(node, nodes.container) and node.get("nb_element") == "mime_bundle"


def _sentence(bundle: nodes.Node) -> str:
    """Return the text beside a picture, nothing where it is Python's name of an object."""
    for part in bundle.children:
        if isinstance(part, nodes.container) and part.get("mime_type") == "text/plain":
            return sentence(part.astext())
    return ""
