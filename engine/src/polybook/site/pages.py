"""From a chapter with its results to one page of the site: all frameworks side by side.

A page is a notebook whose code cells carry their framework in `metadata.polybook.tab`; the Sphinx
extension beside this module gathers them into tabs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from ..dialect import Element
from ..frameworks import FRAMEWORKS, code_for
from ..keys import digest_code
from ..languages import Language
from ..markdown import Flavour, Renderer, fence_language, plain_text, work_anchor
from ..model import Cell, Fence
from ..notebook import code_cell, markdown_cell, notebook_of
from ..outputs import Results
from ..references import Chapter, Index, Target
from ..results import CURVES
from .plots import describe, inline, sentence
from .words import PICTURE, read_words

#: The most characters of a link that no line break may divide.
_SHORT = 20

_SVG = "image/svg+xml"

NO_RESULTS = Results(None, is_fresh=False)


@dataclass(frozen=True, slots=True)
class PageFlavour(Flavour):
    """MyST Markdown for Sphinx."""

    def anchor(self, label: str) -> str:
        """See `Flavour`."""
        return f"({label})=\n"

    def link(self, text: str, target: Target) -> str:
        """See `Flavour`."""
        return f"{{ref}}`{_unbroken(_plain(text))} <{target.label}>`"

    def cite(self, text: str, key: str) -> str:
        """See `Flavour`."""
        if self.bibliography_chapter is None:
            return text
        return f"{{ref}}`{_plain(text)} <{work_anchor(key)}>`"

    def figure(self, address: str, caption: str, label: str | None, size: Sequence[tuple[str, str]]) -> str:
        """See `Flavour`."""
        alternative = json.dumps(plain_text(caption), ensure_ascii=False)  # a string of YAML, too
        options = [("name", label), ("alt", alternative), *size]
        lines = [f":{name}: {value}" for name, value in options if value]
        return "\n".join([f"````{{figure}} {address}", *lines, "", caption, "````"])

    def table(self, rows: str, caption: str, label: str | None) -> str:
        """See `Flavour`."""
        if not caption:
            return (self.anchor(label) + "\n" if label else "") + rows
        name = f":name: {label}\n" if label else ""
        line = caption.replace("\n", " ")
        # tildes, because what follows backticks on their line may not hold any
        return f"~~~~{{table}} {line}\n{name}\n{rows}\n~~~~"

    def math(self, tex: str, label: str | None) -> str:
        r"""See `Flavour`; without `nowrap` Sphinx puts what holds `\\` into a `split`, which takes no tag."""
        formula = f"```{{math}}\n:nowrap:\n\n\\[{tex}\\]\n```"
        return (self.anchor(label) if label else "") + formula

    def tab_begin(self, frameworks: Sequence[str]) -> str:
        """See `Flavour`."""
        return f"::::::{{framework-tab}} {' '.join(frameworks)}"

    def tab_end(self) -> str:
        """See `Flavour`."""
        return "::::::"

    def fence(self, block: Fence) -> str:
        """See `Flavour`."""
        match block.info:
            case "toc":
                return "```{tableofcontents}\n```"
            case "eval_rst":
                return f"````{{eval-rst}}\n{block.body.rstrip()}\n````"
        language = _highlightable(fence_language(block.info))
        indent = block.source[: len(block.source) - len(block.source.lstrip(" \t"))]
        fence = indent + ("~~~~" if "```" in block.body else "````")
        return f"{fence}{language}\n{block.body.rstrip()}\n{fence}"


def _plain(text: str) -> str:
    """Return text for a place that knows no markup and takes `<...>` for a target."""
    return plain_text(text).replace("<", "‹").replace(">", "›")


def _highlightable(language: str) -> str:
    """Return the language of a fence, or `text` for one that Sphinx would only warn of."""
    if not language or language.startswith("{"):
        return language
    try:
        get_lexer_by_name(language.split(maxsplit=1)[0])
    except ClassNotFound:
        return "text"
    return language


def _unbroken(text: str) -> str:
    """Return text that stays on one line if it is as short as `Section 3.2`."""
    return text.replace(" ", "\N{NO-BREAK SPACE}") if len(text) <= _SHORT else text


@dataclass(frozen=True, slots=True)
class _Variant:
    """A cell as one framework has it."""

    framework: str
    code: str
    outputs: Sequence[Mapping[str, Any]]
    #: `fresh`, `stale` or `missing`.
    state: str


@dataclass(frozen=True, slots=True)
class PageBuilder:
    """Makes the pages of one language of a book."""

    #: What the references of this language lead to.
    index: Index
    #: The framework of cells without a tab mark.
    default: str
    #: Names of the chapters that can be linked to.
    chapters: frozenset[str]
    #: What the words inside plots are in this language.
    words: Mapping[str, str] = field(default_factory=dict)

    def page(
        self,
        chapter: Chapter,
        show: Mapping[str, Callable[[str], str]],
        results: Mapping[str, Results],
        flavour: PageFlavour,
    ) -> dict[str, Any]:
        """Return the page of a chapter.

        Args:
            chapter: The chapter, whole.
            show: For each framework of the chapter, what makes a selected cell's code the code shown.
            results: What is stored, per framework.
            flavour: How prose is written.

        Returns:
            A notebook in nbformat 4.5 with the outputs of all frameworks.
        """
        renderer = Renderer(chapter, self.index, flavour, self.chapters)
        variants = self._variants(chapter, show, results)
        cells: list[dict[str, Any]] = []
        prose: list[Element] = []
        for element in chapter.elements:
            if not isinstance(element.block, Cell):
                prose.append(element)
                continue
            cells.append(markdown_cell(renderer.render(prose)))
            cells += [_code_cell(variant, tab) for variant, tab in _tabs(next(variants), len(show))]
            prose = []
        cells.append(markdown_cell(renderer.render(prose)))
        cells.append(markdown_cell(self._runs(show, results, flavour)))
        for number, output in enumerate(output for cell in cells for output in cell.get("outputs", ())):
            if "data" in output:
                output["data"] = self._shown(output["data"], f"plot{number}")
        return notebook_of(cells)

    def _variants(
        self, chapter: Chapter, show: Mapping[str, Callable[[str], str]], results: Mapping[str, Results]
    ) -> Iterator[list[_Variant]]:
        """Yield, for each cell of a chapter, what each framework makes of it."""
        positions = dict.fromkeys(show, 0)
        for cell in chapter.document.cells:
            variants = []
            for framework in show:
                code = show[framework](code_for(cell, framework, self.default) or "")
                if not code:
                    continue
                outputs, state = _outputs(code, results.get(framework, NO_RESULTS), positions[framework])
                positions[framework] += 1
                variants.append(_Variant(framework, code, outputs, state))
            yield variants

    def _runs(self, frameworks: Iterable[str], results: Mapping[str, Results], flavour: PageFlavour) -> str:
        """Return where the results come from, for each framework; it stands at the page's end."""
        lines = []
        for framework in frameworks:
            record = results.get(framework, NO_RESULTS).record
            if record is not None:
                ran = record.provenance
                words = self.index.language.last_run.format(
                    device=ran.device.upper() if ran.device == "cpu" else ran.device,
                    framework=f"{FRAMEWORKS[framework].title} {ran.version}",
                    python=ran.python,
                )
                lines += [flavour.tab_begin([framework]), words, flavour.tab_end()]
        return "\n".join(["::::::::{container} polybook-runs", *lines, "::::::::"]) if lines else ""

    def _shown(self, data: Mapping[str, Any], prefix: str) -> dict[str, Any]:
        """Return what a page shows of an output: plots as a part of it, nothing that is for programs."""
        shown = {mime: value for mime, value in data.items() if not mime.startswith("application/vnd.")}
        if _SVG not in shown:
            return shown
        language = self.index.language
        if CURVES in data:
            alternative = describe(data[CURVES], language, self.words)
        else:
            alternative = sentence(data.get("text/plain", "")) or _stock_phrase(language)
        plot = inline(data[_SVG], prefix, alternative, language, self.words)
        return {"text/html": plot} if plot else shown


def _stock_phrase(language: Language) -> str:
    return read_words(language.catalogue).gettext(PICTURE)


def _outputs(code: str, results: Results, position: int) -> tuple[Sequence[Mapping[str, Any]], str]:
    """Return what is stored for the cell at `position`, if it came from this code."""
    if results.record is None or position >= len(results.record.cells):
        return (), "missing"
    cell = results.record.cells[position]
    if cell.digest != digest_code(code):
        return (), "missing"
    return cell.outputs, "fresh" if results.is_fresh else "stale"


def _tabs(variants: Sequence[_Variant], frameworks: int) -> list[tuple[_Variant, str | None]]:
    """Return each variant with its tab; what is the same in every framework is shown once, untabbed."""
    distinct = {(variant.code, repr(variant.outputs), variant.state) for variant in variants}
    if len(distinct) == 1 and len(variants) == frameworks > 1:
        return [(variants[0], None)]
    return [(variant, variant.framework) for variant in variants]


def _code_cell(variant: _Variant, tab: str | None) -> dict[str, Any]:
    metadata = {"tab": tab} if tab else {}
    if variant.state != "fresh":
        metadata["state"] = variant.state
    outputs = [dict(output) for output in variant.outputs]
    return code_cell(variant.code) | {"metadata": {"polybook": metadata}, "outputs": outputs}
