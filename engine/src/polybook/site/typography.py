"""Quotation marks and line breaks, as typesetters would have them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from docutils import nodes
from sphinx.transforms import SphinxSmartQuotes, SphinxTransform

#: What Sphinx makes quotation marks, dashes and ellipses of, and what protects it from that.
_PLAIN_MARKS = re.compile(r"""["'\\\0]|--|\.\.\.|\. \. \.""")
_look_at_texts = SphinxSmartQuotes.get_tokens

#: What may not begin a line, perhaps after a space of French; what may not end one.
_CLOSING = re.compile(r"[\u00a0\u202f]?[-,.;:!?…)\]}»”’、，。；：！？）】》」]+")
_OPENING = re.compile(r"[(\[{«“‘（【《「]+[\u00a0\u202f]?$")


def texts_with_marks(self: SphinxSmartQuotes, texts: Sequence[nodes.Text]) -> Iterator[tuple[str, str]]:
    """Yield what `SphinxSmartQuotes.get_tokens` does; most texts have nothing that it would change."""
    for text in texts:
        if _PLAIN_MARKS.search(text):
            yield from _look_at_texts(self, [text])
        else:
            yield "literal", str(text)


class FormulaPunctuation(SphinxTransform):
    """Keeps a formula inside a sentence together with the punctuation that it touches.

    A formula is a picture to browsers, and they break lines on both sides of a picture.
    """

    default_priority = 860

    def apply(self, **kwargs: Any) -> None:
        """Wrap each formula with its punctuation."""
        for formula in list(self.document.findall(nodes.math)):
            before = _cut(formula, -1, _OPENING)
            after = _cut(formula, +1, _CLOSING)
            if before or after:
                together = nodes.inline(classes=["polybook-unbroken"])
                formula.replace_self(together)
                together += [*before, formula, *after]


def _cut(formula: nodes.math, step: int, pattern: re.Pattern[str]) -> list[nodes.Text]:
    """Take the punctuation on one side of a formula out of the text there and return it."""
    siblings = formula.parent.children
    place = formula.parent.index(formula) + step
    text = siblings[place] if 0 <= place < len(siblings) else None
    if not isinstance(text, nodes.Text):
        return []
    found = pattern.match(text) if step > 0 else pattern.search(text)
    if found is None:
        return []
    formula.parent[place] = nodes.Text(text[: found.start()] + text[found.end() :])
    return [nodes.Text(found[0])]
