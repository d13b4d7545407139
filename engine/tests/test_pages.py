"""Pages of a tiny book against golden ones, and how the cells of all frameworks share a page."""

from __future__ import annotations

import json
import re

import nbformat
import pytest
import yaml
from lxml import html

from polybook.citations import Bibliography
from polybook.config import TocEntry
from polybook.dialect import parse
from polybook.frameworks import select
from polybook.languages import LANGUAGES
from polybook.outputs import Provenance, make_record
from polybook.pipeline.book import load_book
from polybook.pipeline.build import site_source, toc_data
from polybook.references import Chapter, build_index
from polybook.results import CURVES
from polybook.site.pages import PageBuilder, PageFlavour, Results


@pytest.fixture
def pages(copy_book) -> dict[str, str]:
    book = load_book(copy_book("tiny"))
    sources = {language: site_source(book, language) for language in book.config.languages}
    assert not any(source.diagnostics for source in sources.values())
    return {
        f"{language}/{name}": content
        for language, source in sources.items()
        for name, content in source.files.items()
        if isinstance(content, str)
    }


def test_golden(pages, same_as_golden):
    same_as_golden("pages", pages)


def test_pages_are_valid_notebooks(pages):
    for name, text in pages.items():
        if name.endswith(".ipynb"):
            nbformat.validate(json.loads(text))


def test_images_come_with_the_pages(copy_book):
    book = load_book(copy_book("tiny"))
    files = site_source(book, "zh").files
    assert files["img/scale.svg"] == book.root / "img/scale.svg"


FRAMEWORKS = ("pytorch", "mxnet")


def page_of(text: str, results=None):
    """Return the cells of a page whose runs printed `results`: framework to (code, outputs) pairs."""
    document = parse(text, "a.md")
    chapter = Chapter.of(TocEntry("a", (1,)), document)
    index = build_index([chapter], LANGUAGES["en"], Bibliography({}))
    builder = PageBuilder(index, "pytorch", frozenset({"a"}))
    show = dict.fromkeys(FRAMEWORKS, str)
    flavour = PageFlavour("a", None, lambda path: path)
    page = builder.page(chapter, show, results or {}, flavour)
    nbformat.validate(page)
    return page["cells"]


def cell(*lines: str) -> str:
    return "\n".join(("```{.python .input}", *lines, "```", ""))


def prints(text: str):
    return [{"output_type": "stream", "name": "stdout", "text": text}]


def results_of(text: str, outputs, *, is_fresh=True) -> dict[str, Results]:
    found = {}
    for framework in FRAMEWORKS:
        codes = [one.code for one in select(parse(text), framework, "pytorch").cells]
        provenance = Provenance(framework, "1", "3.11", "cpu", {})
        record = make_record("a", codes, outputs[framework], {}, provenance)
        found[framework] = Results(record, is_fresh)
    return found


def shown(cells) -> list[tuple[dict, str, str]]:
    return [
        (
            one["metadata"].get("polybook"),
            "".join(one["source"]),
            "".join(output["text"] for output in one["outputs"]),
        )
        for one in cells
        if one["cell_type"] == "code"
    ]


TWO = cell("#@tab all", "print(1)") + cell("print(2)") + cell("#@tab mxnet", "print(3)")


def test_what_is_the_same_in_all_frameworks_is_shown_once():
    outputs = {"pytorch": [prints("one"), prints("two")], "mxnet": [prints("one"), prints("three")]}
    assert shown(page_of(TWO, results_of(TWO, outputs))) == [
        ({}, "print(1)", "one"),
        ({"tab": "pytorch"}, "print(2)", "two"),
        ({"tab": "mxnet"}, "print(3)", "three"),
    ]


def test_the_same_code_with_different_results_has_tabs():
    outputs = {"pytorch": [prints("one"), prints("two")], "mxnet": [prints("1"), prints("three")]}
    assert shown(page_of(TWO, results_of(TWO, outputs)))[:2] == [
        ({"tab": "pytorch"}, "print(1)", "one"),
        ({"tab": "mxnet"}, "print(1)", "1"),
    ]


def test_results_of_code_that_changed_around_them_are_stale():
    outputs = {"pytorch": [prints("one"), prints("two")], "mxnet": [prints("one"), prints("three")]}
    found = page_of(TWO, results_of(TWO, outputs, is_fresh=False))
    assert shown(found)[0] == ({"state": "stale"}, "print(1)", "one")


def test_results_of_code_that_changed_are_not_shown():
    outputs = {"pytorch": [prints("one"), prints("two")], "mxnet": [prints("one"), prints("three")]}
    found = results_of(TWO, outputs, is_fresh=False)
    changed = TWO.replace("print(3)", "print(4)").replace("print(1)", "print(1)  # a comment")
    assert shown(page_of(changed, found)) == [
        ({"state": "stale"}, "print(1)  # a comment", "one"),
        ({"tab": "pytorch", "state": "stale"}, "print(2)", "two"),
        ({"tab": "mxnet", "state": "missing"}, "print(4)", ""),
    ]


def test_code_that_was_never_run_says_so():
    more = TWO + cell("#@tab all", "print(5)")
    outputs = {"pytorch": [prints("one"), prints("two")], "mxnet": [prints("one"), prints("three")]}
    assert shown(page_of(more, results_of(TWO, outputs)))[-1] == ({"state": "missing"}, "print(5)", "")
    assert shown(page_of(TWO))[0] == ({"state": "missing"}, "print(1)", "")


def test_formats_for_programs_are_left_out():
    text = cell("#@tab all", "1")
    data = {"text/plain": "1", "application/vnd.widget+json": {"a": 1}}
    output = {"output_type": "display_data", "data": data, "metadata": {}}
    found = results_of(text, {framework: [[output]] for framework in FRAMEWORKS})
    code, _ = page_of(text, found)
    assert code["outputs"][0]["data"] == {"text/plain": "1"}


def prose(text: str) -> str:
    return "\n".join("".join(one["source"]) for one in page_of(text) if one["cell_type"] == "markdown")


@pytest.mark.parametrize(
    "caption", ["C # of *cells*: `x`", '"Q" :ref:`x`, $\\alpha < 1$', "- a", "| b", "中：文"]
)
def test_any_caption_is_an_alternative_text(caption):
    shown_figure = prose(f"![{caption}](a.svg)")
    (line,) = [line for line in shown_figure.splitlines() if line.startswith(":alt:")]
    plain = caption.replace("*", "").replace("`", "").replace(":ref:", "")
    assert yaml.safe_load(line.removeprefix(":alt:")) == f"Fig. 1.1: {plain}"


def test_a_caption_of_a_table_may_hold_code_and_references():
    text = "# T\n:label:`x`\n\n:A `b` of :numref:`x`\n\n| a |\n|---|\n| b |\n:label:`y`\n"
    assert "~~~~{table} Table 1.1: A `b` of {ref}`Chapter\u00a01 <x>`\n:name: y\n\n| a |" in prose(text)


TAB_BLOCKS = {
    "never closed": (":begin_tab:`pytorch`\na\n", ["begin", "a", "end"]),
    "closed by code": (f":begin_tab:`pytorch`\na\n{cell('x')}b\n:end_tab:\n", ["begin", "a", "end", "b"]),
    "never opened": ("a\n:end_tab:\nb", ["a", "b"]),
    "nested": (
        ":begin_tab:`pytorch`\na\n:begin_tab:`mxnet`\nb\n:end_tab:\n:end_tab:\nc",
        ["begin", "a", "end", "begin", "b", "end", "c"],
    ),
}


@pytest.mark.parametrize(("text", "lines"), TAB_BLOCKS.values(), ids=TAB_BLOCKS)
def test_tab_blocks_are_in_pairs_whatever_the_chapter_says(text, lines):
    markdown = prose(text).replace("::::::{framework-tab} pytorch", "begin")
    markdown = markdown.replace("::::::{framework-tab} mxnet", "begin").replace("::::::", "end")
    assert [line for line in markdown.splitlines() if line.strip()] == lines


FENCES = {
    "plain": ("```bash\nls\n```", "````bash\nls\n````"),
    "attributes": ("```{.python .x}\nx\n```", "````python\nx\n````"),
    "backticks inside": ("~~~\n```\n~~~", "~~~~\n```\n~~~~"),
    "in a list": ("1. a:\n   ```bash\n   ls\n   ```", "   ````bash\n   ls\n   ````"),
    "toc": ("```toc\na\n```", "```{tableofcontents}\n```"),
    "reST": ("```eval_rst\n.. note:: a\n```", "````{eval-rst}\n.. note:: a\n````"),
    "never closed": ("```bash\nls\n", "````bash\nls\n````"),
}


@pytest.mark.parametrize(("text", "markdown"), FENCES.values(), ids=FENCES)
def test_fences(text, markdown):
    assert prose(text).endswith(markdown)


def files_of_toc(book, language: str = "en"):
    return toc_data(load_book(book), language)


def test_the_table_of_contents_for_sphinx_has_no_numbers_and_only_chapters_that_exist(write_book):
    toc = """\
format: jb-book
root: index
defaults: {titlesonly: true}
parts:
  - caption: One
    numbered: true
    chapters:
      - file: a.md
        sections: [{file: gone/b, sections: [{file: c}]}]
      - url: https://example.org
        title: Elsewhere
  - caption: Empty
    chapters: [{file: gone/d}]
"""
    book = write_book({"_toc.yml": toc, "index.md": "# I", "a.md": "# A", "c.md": "# C"})
    assert files_of_toc(book) == {
        "format": "jb-book",
        "root": "index",
        "parts": [
            {
                "caption": "One",
                "chapters": [
                    {"file": "a.md", "sections": [{"file": "c"}]},
                    {"url": "https://example.org", "title": "Elsewhere"},
                ],
            }
        ],
    }


def test_a_missing_root_gets_a_page_with_the_book_s_title(write_book):
    book = write_book({"_toc.yml": "format: jb-book\nroot: index\nchapters: [{file: a}]", "a.md": "# A"})
    page = json.loads(site_source(load_book(book), "en").files["index.ipynb"])
    assert page["cells"][0]["source"] == ["# Book"]


def test_sections_of_a_chapter_come_before_the_chapters_below_it(write_book):
    toc = """\
format: jb-book
root: index
parts:
  - numbered: true
    chapters:
      - file: a
        sections: [{file: b, sections: [{file: c}]}, {file: d}]
      - file: e
"""
    texts = {"a": "# A\n## 1\n### 1.1\n## 2", "b": "# B\n## 1", "c": "# C", "d": "# D\n## 1", "e": "# E"}
    book = write_book({"_toc.yml": toc, "index.md": "# I"} | {f"{name}.md": t for name, t in texts.items()})
    numbers = {entry.chapter: entry.number for entry in load_book(book).toc.entries}
    assert numbers == {"index": (), "a": (1,), "b": (1, 3), "c": (1, 3, 2), "d": (1, 4), "e": (2,)}


def test_a_chapter_in_another_language_says_so_even_without_a_title(write_book):
    config = "polybook: {languages: {en: en, fr: fr}, frameworks: [pytorch]}"
    toc = "format: jb-book\nroot: index\nchapters: [{file: a}, {file: b}]"
    english = {"en/index.md": "# I", "en/a.md": cell("1"), "en/b.md": "x\n\n# B\n\ny"}
    book = load_book(write_book({"_config.yml": config, "_toc.yml": toc, **english}))
    words = "Ce chapitre n’est pas encore traduit\u202f; le voici en anglais."
    notice = f":::{{note}}\n:class: polybook-own-words\n\n{words}\n:::"
    files = site_source(book, "fr").files
    for name in ("index", "a", "b"):
        page = json.loads(files[f"{name}.ipynb"])
        nbformat.validate(page)
        assert notice in "".join(page["cells"][0]["source"])
        assert page["cells"][0]["cell_type"] == "markdown"
    assert notice not in site_source(book, "en").files["index.ipynb"]


def test_a_page_says_at_its_end_where_its_results_come_from():
    outputs = {"pytorch": [prints("one"), prints("two")], "mxnet": [prints("one"), prints("three")]}
    found = results_of(TWO, outputs)
    del found["mxnet"]
    assert "".join(page_of(TWO, found)[-1]["source"]) == (
        "::::::::{container} polybook-runs\n"
        "::::::{framework-tab} pytorch\n"
        "Last run on CPU with PyTorch 1 and Python 3.11.\n"
        "::::::\n"
        "::::::::"
    )
    assert "Last run" not in str(page_of(TWO))


def plot_output(**data):
    return {"output_type": "display_data", "metadata": {}, "data": data}


def test_plots_become_a_part_of_the_page_with_ids_of_their_own():
    text = cell("#@tab all", "draw()")
    svg = '<svg xmlns="http://www.w3.org/2000/svg"><path id="a"/><use href="#a"/></svg>'
    curves = {"xlabel": "epoch", "ylabel": "loss", "curves": [{"name": "a", "x": [1, 2], "y": [2, 1]}]}
    drawn = [
        plot_output(**{"image/svg+xml": svg, "text/plain": "a plot", CURVES: curves}),
        plot_output(**{"image/svg+xml": svg, "text/plain": "'Two lines'"}),
        plot_output(**{"image/svg+xml": svg, "text/plain": "<Figure size 640x480>"}),
    ]
    code = page_of(text, results_of(text, {framework: [drawn] for framework in FRAMEWORKS}))[0]
    plots = [output["data"]["text/html"] for output in code["outputs"]]
    assert [html.fromstring(plot).get("aria-label") for plot in plots] == [
        "Plot of loss against epoch: a falls from 2 to 1.",
        "Two lines",
        "Picture made by the code above.",
    ]
    assert [re.findall('"#?([^"]*-a)"', plot) for plot in plots] == [[f"plot{n}-a"] * 2 for n in range(3)]
    assert all(set(output["data"]) == {"text/html"} for output in code["outputs"])
