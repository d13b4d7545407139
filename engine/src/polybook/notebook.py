"""From a chapter in one framework to a Jupyter notebook."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from .dialect import Element
from .markdown import Flavour, Renderer, fence_language, plain_text, work_anchor
from .model import Cell, Fence
from .references import Chapter, Index, Target

#: nbformat 4.5: the first with cell ids.
_FORMAT = {"nbformat": 4, "nbformat_minor": 5}
_KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python", "pygments_lexer": "ipython3"},
}


@dataclass(frozen=True, slots=True)
class NotebookFlavour(Flavour):
    """Markdown that Jupyter, Colab and GitHub render alike."""

    def anchor(self, label: str) -> str:
        """See `Flavour`."""
        return f'<a id="{label}"></a>\n\n'

    def link(self, text: str, target: Target) -> str:
        """See `Flavour`."""
        place = f"#{target.label}"
        if target.chapter != self.chapter:
            place = self.chapter_link(target.chapter) + place
        return f"[{text}]({place})"

    def cite(self, text: str, key: str) -> str:
        """See `Flavour`."""
        if self.bibliography_chapter is None:
            return text
        return f"[{text}]({self.chapter_link(self.bibliography_chapter)}#{work_anchor(key)})"

    def figure(self, address: str, caption: str, label: str | None, size: Sequence[tuple[str, str]]) -> str:
        """See `Flavour`."""
        attributes = "".join(f' {name}="{value.removesuffix("px")}"' for name, value in size)
        anchor = self.anchor(label) if label else ""
        alternative = plain_text(caption).replace('"', "'")
        image = f'{anchor}<img src="{address}" alt="{alternative}"{attributes}>'
        return f"{image}\n\n*{caption}*" if caption else image

    def table(self, rows: str, caption: str, label: str | None) -> str:
        """See `Flavour`."""
        anchor = self.anchor(label) if label else ""
        return anchor + (f"*{caption}*\n\n" if caption else "") + rows

    def math(self, tex: str, label: str | None) -> str:
        """See `Flavour`."""
        return (self.anchor(label) if label else "") + f"$${tex}$$"

    def tab_begin(self, frameworks: Sequence[str]) -> str:
        """See `Flavour`; a notebook has one framework, so its prose stands as it is."""
        return ""

    def tab_end(self) -> str:
        """See `Flavour`."""
        return ""

    def fence(self, block: Fence) -> str:
        """See `Flavour`; a table of contents and raw reST have no place in a notebook."""
        if block.info in ("toc", "eval_rst"):
            return ""
        return block.source.replace(block.info, fence_language(block.info), 1).strip("\r\n")


def to_notebook(
    chapter: Chapter, index: Index, flavour: NotebookFlavour, chapters: frozenset[str]
) -> dict[str, Any]:
    """Return the notebook of a chapter that has been selected for one framework.

    Args:
        chapter: The chapter as it is for one framework, its cells without marks.
        index: What the references of this language lead to.
        flavour: How prose is written.
        chapters: Names of the chapters that can be linked to.

    Returns:
        A notebook in nbformat 4.5 without outputs.
    """
    renderer = Renderer(chapter, index, flavour, chapters)
    cells: list[dict[str, Any]] = []
    prose: list[Element] = []
    for element in chapter.elements:
        if not isinstance(element.block, Cell):
            prose.append(element)
            continue
        cells.append(markdown_cell(renderer.render(prose)))
        cells.append(code_cell(element.block.code, element.block.tags))
        prose = []
    cells.append(markdown_cell(renderer.render(prose)))
    return notebook_of(cells)


def markdown_cell(source: str) -> dict[str, Any]:
    """Return a cell of prose."""
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def code_cell(source: str, tags: Sequence[str] = ()) -> dict[str, Any]:
    """Return a cell of code that has not been run."""
    metadata = {"tags": list(tags)} if tags else {}
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": metadata,
        "outputs": [],
        "source": source,
    }


def notebook_of(cells: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return the notebook of these cells, empty ones left out."""
    numbered = [
        {**cell, "id": f"cell-{number}", "source": cell["source"].splitlines(keepends=True)}
        for number, cell in enumerate(cell for cell in cells if cell["source"])
    ]
    return {"cells": numbered, "metadata": _KERNEL, **_FORMAT}


def write_notebook(notebook: dict[str, Any]) -> str:
    """Return a notebook's text, one line of source a line."""
    return orjson.dumps(notebook, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode() + "\n"
