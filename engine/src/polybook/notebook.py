"""From a chapter in one framework to a Jupyter notebook."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from docutils.nodes import make_id

from .dialect import Element
from .languages import Language
from .markdown import Flavour, Renderer, fence_language, plain_text, work_anchor
from .model import Cell, Fence
from .references import Chapter, Index, Target
from .services import JUPYTER, Service

#: nbformat 4.5: the first with cell ids.
_FORMAT = {"nbformat": 4, "nbformat_minor": 5}


@dataclass(frozen=True, slots=True)
class NotebookFlavour(Flavour):
    """Markdown that Jupyter, Colab and GitHub render alike."""

    def anchor(self, label: str) -> str:
        """See `Flavour`."""
        return f'<a id="{label}"></a>\n\n'

    def link(self, text: str, target: Target) -> str:
        """See `Flavour`."""
        if target.chapter == self.chapter:
            return f"[{text}](#{target.label})"
        return f"[{text}]({self.chapter_link(target.chapter)}#{self.place_in(target.label)})"

    def place_in(self, label: str) -> str:
        """Return the anchor that a label has in another chapter."""
        return label

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


@dataclass(frozen=True, slots=True)
class HostedFlavour(NotebookFlavour):
    """The same for a notebook that is opened alone: links to other chapters lead to the site."""

    #: Where the site has the chapters of the notebook's language.
    site: str

    def chapter_link(self, chapter: str) -> str:
        """See `Flavour`."""
        return f"{self.site}/{chapter}.html"

    def place_in(self, label: str) -> str:
        """See `NotebookFlavour`; Sphinx turns labels into anchors in its own way."""
        return make_id(label)


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


def for_service(
    notebook: dict[str, Any], service: Service, install: Sequence[str], words: Language, *, on_gpu: bool
) -> dict[str, Any]:
    """Return a notebook as it is for a service: a first cell that installs, and the service's metadata.

    On the reader's own machine, where installing is the reader's choice, that cell is a comment.

    Args:
        notebook: The notebook.
        service: What will run it.
        install: What pip has to install for it, nothing for no such cell.
        words: The reader's language.
        on_gpu: Whether it needs a GPU.
    """
    command = f"%pip install --quiet {shlex.join(install)}"
    if service.is_hosted:
        lines = [f"# {words.installs}", command]
    else:
        beside = [one for one in install if one.endswith(".whl") and "://" not in one]
        lines = [
            f"# {words.would_install}",
            f"# {command}",
            *(f"# {words.with_all.format(one)}" for one in beside),
        ]
    first = {**code_cell(""), "id": "install", "source": "\n".join(lines).splitlines(keepends=True)}
    return {
        **notebook,
        "cells": [*([first] if install else []), *notebook["cells"]],
        "metadata": service.notebook_metadata(on_gpu=on_gpu),
    }


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
    return {"cells": numbered, "metadata": JUPYTER.notebook_metadata(on_gpu=False), **_FORMAT}


def write_notebook(notebook: dict[str, Any]) -> str:
    """Return a notebook's text, one line of source a line."""
    return orjson.dumps(notebook, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode() + "\n"
