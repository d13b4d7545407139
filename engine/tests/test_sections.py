"""Sections have the same anchors in every language."""

from __future__ import annotations

import pytest

from polybook.dialect import parse
from polybook.site.sections import section_anchors

SOURCE = "# A `Title`\n\n## One\n\n:begin_tab:`jax`\n## Tabbed\n:end_tab:\n\n## One\n\n### One\n\n## 一\n"


@pytest.mark.parametrize(
    ("shown", "anchors"),
    [
        ("# T\n\n## A\n\n## B\n\n### C\n\n## D\n", ["a-title", "one", "one--2", "one--3", "section"]),
        ("# T\n\n## A\n\n## B\n\n## C\n\n## D\n", []),
        ("# T\n\n## A\n", []),
    ],
)
def test_anchors_are_made_of_the_titles_in_the_source_language(shown, anchors):
    assert section_anchors(parse(SOURCE, "en/a.md"), parse(shown, "fr/a.md")) == anchors
