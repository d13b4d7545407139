"""Plots as part of a page: in the page's colours, with their words in the reader's language."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any
from xml.etree import ElementTree as ET

from ..languages import Language

#: A style sheet for everything, as Matplotlib writes it; inside a page it would be one for the whole page.
_STYLE_OF_ALL = re.compile(r"\s*\*\s*\{([^{}]*)\}\s*")
_COLOUR = re.compile(r"#([0-9a-fA-F]{2})\1\1\b")
#: Greys below this are ink, others are grid lines and paper.
_INK = 0xA0
_FONT = re.compile(r"font-family:[^;]*;?\s*|(?<=font: )(.*?px) [^;]*")
_REFERENCE = re.compile(r"#([^\s)\"']+)")
_DECIMAL_POINT = re.compile(r"(?<=\d)\.(?=\d)")
_LEGEND = "legend_"


def sentence(text: str) -> str:
    """Return the text beside a picture, nothing where it is Python's name of an object."""
    text = " ".join(text.split())
    return "" if text.startswith("<") and text.endswith(">") else text.strip("'\"")


def describe(plot: Mapping[str, Any], language: Language, words: Mapping[str, str]) -> str:
    """Return a sentence that says what a plot shows.

    Args:
        plot: The numbers behind it: `{"xlabel": ..., "ylabel": ..., "curves": [{"name", "x", "y"}]}`.
        language: The language of the sentence.
        words: What the plot's words are in that language.
    """
    changes = []
    for curve in plot["curves"]:
        if curve["y"]:
            name, first, last = str(curve["name"]), curve["y"][0], curve["y"][-1]
            values = {"first": _short(first, language), "last": _short(last, language)}
            changes.append(_verb(first, last, language).format(name=_word(name, language, words), **values))
    x, y = (_word(str(plot.get(f"{axis}label") or axis), language, words) for axis in "xy")
    changed = language.semicolon.join(changes)
    return language.plot.format(x=x, y=y, changes=changed)


def _verb(first: float | None, last: float | None, language: Language) -> str:
    if first is None or last is None or first == last:
        return language.stays
    return language.falls if last < first else language.rises


def _word(word: str, language: Language, words: Mapping[str, str]) -> str:
    """Return what a word or a number of a plot is in a language."""
    return words.get(word) or _DECIMAL_POINT.sub(language.decimal, word)


def _short(value: float | None, language: Language) -> str:
    if value is None:
        return language.no_number
    text = f"{value:.0f}" if 999.5 <= abs(value) < 1e6 else f"{value:.3g}"
    return _DECIMAL_POINT.sub(language.decimal, text)


def inline(
    svg: str, prefix: str, alternative: str, language: Language, words: Mapping[str, str]
) -> str | None:
    """Return a plot as HTML: an `<svg>` that is coloured like the text around it.

    Args:
        svg: The plot.
        prefix: What its ids begin with, so that no two on a page are the same.
        alternative: What it shows, in words.
        language: The language of the page, for the decimals along the axes.
        words: What the plot's words are in that language.

    Returns:
        The HTML, or `None` for what could change the page around it or cannot be read.
    """
    try:
        root = ET.fromstring(svg)  # noqa: S314  the book's own plots; expat refuses to blow up entities
    except ET.ParseError:
        return None
    style = "".join(element.text or "" for element in root.iter() if _name(element.tag) == "style")
    found = _STYLE_OF_ALL.fullmatch(style) if style.strip() else None
    if (style.strip() and not found) or any(_name(element.tag) == "script" for element in root.iter()):
        return None
    for parent in list(root.iter()):
        parent[:] = [child for child in parent if _name(child.tag) not in ("metadata", "style")]
    used = {name for element in root.iter() for name in _references(element)}
    _translate(root, language, words)
    for element in root.iter():
        _adapt(element, prefix, used)
    root.attrib |= {"class": "polybook-plot", "role": "img", "fill": "currentColor"}
    if found:
        root.set("style", " ".join(found[1].split()))
    html = ET.tostring(root, encoding="unicode")
    return html.replace("<svg", f'<svg aria-label="{escape(alternative)}"', 1)


def _name(tag: object) -> str:
    """Return a tag or an attribute without its namespace."""
    return str(tag).rpartition("}")[2]


def _references(element: ET.Element) -> Iterator[str]:
    for name, value in element.attrib.items():
        if _name(name) == "href" or "url(" in value:
            yield from _REFERENCE.findall(value)


def _adapt(element: ET.Element, prefix: str, used: set[str]) -> None:
    """Make an element one of the page: no namespaces, ids of its own, the page's ink and letters."""
    element.tag = _name(element.tag)
    element.attrib = {
        _name(name): _adapted(_name(name), value, prefix)
        for name, value in element.attrib.items()
        if name != "id" or value in used
    }
    if element.tag not in ("text", "tspan"):
        element.text = None
    if element.tag != "tspan":
        element.tail = None


def _adapted(name: str, value: str, prefix: str) -> str:
    if name == "id":
        return f"{prefix}-{value}"
    if name == "href" or "url(" in value:
        return _REFERENCE.sub(rf"#{prefix}-\1", value)
    if name in ("style", "fill", "stroke"):
        value = _FONT.sub(r"\1", _COLOUR.sub(_ink, value))
    return " ".join(value.split())


def _ink(match: re.Match[str]) -> str:
    value = int(match[1], 16)
    if value == 0xFF:
        return "var(--pst-color-background)"
    return "currentColor" if value < _INK else match[0]


def _translate(root: ET.Element, language: Language, words: Mapping[str, str]) -> None:
    """Put a plot's words into a language; a legend whose words are longer now moves to the left."""
    for text in _texts(root):
        text.text = _word((text.text or "").strip(), language, words)
    width = float((root.get("viewBox") or "0 0 inf 0").split()[2])
    for legend in root.iter():
        if legend.get("id", "").startswith(_LEGEND):
            ends = [_start(text) + _width(text) for text in _texts(legend)]
            too_far = max(ends, default=0) - width
            if too_far > 0:
                legend.set("transform", f"translate({-too_far:.0f} 0)")


def _texts(root: ET.Element) -> Sequence[ET.Element]:
    """Return the texts of one piece."""
    return [element for element in root.iter() if _name(element.tag) == "text" and not len(element)]


def _start(text: ET.Element) -> float:
    """Return where a text begins that is not anchored elsewhere."""
    return float(text.get("x", 0))


def _width(text: ET.Element) -> float:
    """Return about how wide a text is; it is the browser that chooses the letters."""
    size = re.search(r"(\d+(?:\.\d+)?)px", text.get("style", ""))
    return sum(map(_letter_width, text.text or "")) * (float(size[1]) if size else 10)


def _letter_width(letter: str) -> float:
    """Return about how wide a letter is, its height being 1."""
    if unicodedata.east_asian_width(letter) in "WF":
        return 1.1
    return 0.9 if letter in "mwMW" else 0.57
