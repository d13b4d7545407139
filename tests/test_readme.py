"""What the README shows of the book."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: Markdown pictures, and those with a width, which Markdown cannot say.
PICTURE = re.compile(r'!\[(.*?)\]\((\S+?)\)|<img src="(\S+?)" width="\d+" alt="(.*?)">')


def test_its_pictures_are_there_small_and_described():
    found = PICTURE.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    pictures = {path or other: alt or other_alt for alt, path, other, other_alt in found}
    assert len(pictures) == 4
    for path, alt in pictures.items():
        assert (ROOT / path).stat().st_size < 200_000, path
        assert len(alt.split()) > 5, path
