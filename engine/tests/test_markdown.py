"""Prose without the dialect: references, links, line ends, and the blocks that both flavours write."""

from __future__ import annotations

import pytest

from polybook.citations import read_bibliography
from polybook.config import TocEntry
from polybook.dialect import parse
from polybook.languages import LANGUAGES
from polybook.markdown import Renderer, fence_language, plain_text, work_anchor
from polybook.notebook import NotebookFlavour
from polybook.references import Chapter, build_index

WORKS = (
    "@misc{a.1, author={A Bee}, title={T}, year={1}}\n@misc{b:2, author={C Dee and E F}, title={U}, year={2}}"
)
OTHER = """\
# Other `code` chapter
:label:`other`

![A](a.svg)
:label:`fig`

## A *part*
:label:`part`
"""
CONTENTS = {"img/a.svg", "chapters/sub/b.svg"}


def find_image(path: str) -> str | None:
    return f"<{path}>" if path in CONTENTS else None


def render(text: str, language: str = "en", *, known=("a", "other", "sub/c"), name: str = "a") -> str:
    texts = {"other": OTHER, name: text}
    chapters = [
        Chapter.of(TocEntry(one, (number,)), parse(text, f"chapters/{one}.md"))
        for number, (one, text) in enumerate(texts.items(), start=1)
    ]
    bibliography, _ = read_bibliography({"x.bib": WORKS})
    index = build_index(chapters, LANGUAGES[language], bibliography)
    flavour = NotebookFlavour(name, "other", find_image)
    return Renderer(chapters[1], index, flavour, frozenset(known)).render(chapters[1].elements)


FIGURE = "other.ipynb#fig"

SENTENCES = {
    "reference": ("See :numref:`fig`.", f"See [Fig. 1.1]({FIGURE})."),
    "title": ("See :ref:`other`.", "See [Other `code` chapter](other.ipynb#other)."),
    "several": ("See :numref:`fig,part`.", f"See [Fig. 1.1]({FIGURE}), [Section 1.1](other.ipynb#part)."),
    "several, one unknown": ("See :numref:`fig, x`.", f"See [Fig. 1.1]({FIGURE}), `x`."),
    "citation": (":cite:`a.1`", "([Bee, 1](other.ipynb#cite-a-1))"),
    "citations": (
        ":citep:`a.1, b:2, c`",
        "([Bee, 1](other.ipynb#cite-a-1); [Dee and F, 2](other.ipynb#cite-b-2); `c`)",
    ),
    "citation in the sentence": (":citet:`b:2` say", "[Dee and F (2)](other.ipynb#cite-b-2) say"),
    "nothing cited": ("a :cite:`` b :numref:`` c", "a  b  c"),
    "unknown role": ("a :math:`x_1` b", "a `x_1` b"),
    "role in code": ("`:numref:` and `` :numref:`fig` ``", "`:numref:` and `` :numref:`fig` ``"),
    "mark in a sentence": ("a :label:`x` b", "a  b"),
    "slides": ("[**See :numref:`fig`**] (**x**) (~~y~~)z", f"**See [Fig. 1.1]({FIGURE})** **x** z"),
    "chapter": ("[it](other.md) [c](sub/c.md)", "[it](other.ipynb) [c](sub/c.ipynb)"),
    "label in a chapter": ("[it](other.md#fig)", f"[it]({FIGURE})"),
    "unknown label in a chapter": ("[it](other.md#gone)", "[it](other.ipynb)"),
    "unknown chapter": ("[it](gone.md)", "it"),
    "web": ("[it](https://a.b/c.md#d) <https://a.b>", "[it](https://a.b/c.md#d) <https://a.b>"),
    "file": ("[it](data.csv)", "[it](data.csv)"),
    "link in code": ("`[it](other.md)` and [it](other.md)", "`[it](other.md)` and [it](other.ipynb)"),
    "image": ("a ![b](../img/a.svg) c", "a ![b](<img/a.svg>) c"),
    "missing image": ("a ![b](gone.svg) ![](no.svg)", "a *b* *chapters/no.svg*"),
    "image of the web": ("a ![b](https://a.b/c.svg)", "a ![b](https://a.b/c.svg)"),
}


@pytest.mark.parametrize(("text", "markdown"), SENTENCES.values(), ids=SENTENCES)
def test_inside_a_sentence(text, markdown):
    assert render(text) == markdown


def test_paths_start_at_the_chapter_s_folder():
    text = "[it](../other.md#fig) [a](../a.md) ![b](b.svg)"
    assert render(text, name="sub/c") == "[it](../other.ipynb#fig) [a](../a.ipynb) ![b](<chapters/sub/b.svg>)"


def test_a_chapter_that_is_not_there_is_named_and_not_linked_to():
    text = "See :numref:`fig` in [it](other.md)."
    assert render(text, known=("a",)) == "See Fig. 1.1 in it."


#: French words begin in lower case; the first of a sentence does not.
STARTS = {
    ":numref:`fig` montre": True,
    "\n\n:numref:`fig` montre": True,
    "Voici. :numref:`fig` montre": True,
    "Voici !\n:numref:`fig` montre": True,
    "Voici… :numref:`fig` montre": True,
    "Voici.\n\n(:numref:`fig`)": True,
    "Voici. [**:numref:`fig` montre**]": True,
    "- :numref:`fig` montre": True,
    "1. :numref:`fig` montre": True,
    "> :numref:`fig` montre": True,
    "Voici : « :numref:`fig` montre »": False,
    "voir :numref:`fig`": False,
    "cf. :numref:`fig`": False,
    "p. ex. :numref:`fig`": False,
    "(voir\n:numref:`fig`)": False,
}


@pytest.mark.parametrize(("text", "is_start"), STARTS.items())
def test_a_sentence_begins_with_a_capital(text, is_start):
    shown = render(f"# T\n{text}\n", "fr")
    assert ("[Fig. 1.1](" in shown) is is_start
    assert ("[fig. 1.1](" in shown) is not is_start


LINES = {
    "你好\n世界": "你好世界",
    "你好，\n世界": "你好，世界",
    "- 你好\n  世界": "- 你好世界",
    "你好\n\n世界": "你好\n\n世界",
    "你好\nworld\n世界": "你好\nworld\n世界",
    "你好\n- 世界": "你好\n- 世界",
    "hello\nworld": "hello\nworld",
}


@pytest.mark.parametrize(("text", "markdown"), LINES.items())
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_chinese_lines_are_joined(text, markdown, end):
    assert render(text.replace("\n", end), "zh") == markdown


def test_a_chinese_role_needs_no_space():
    assert render("回顾:numref:`fig`中", "zh") == f"回顾[图 1.1]({FIGURE})中"


BLOCKS = {
    "heading": (
        "## *B* `c` :numref:`fig`\n:label:`x`",
        f'<a id="x"></a>\n\n## 2.1 *B* `c` [Fig. 1.1]({FIGURE})',
    ),
    "figure": (
        '![B "c" :numref:`fig`](../img/a.svg)\n:width:`40px`\n:height:`50%`',
        '<img src="<img/a.svg>" alt="Fig. 2.1: B \'c\' Fig. 1.1" width="40" height="50%">\n\n'
        f'*Fig. 2.1: B "c" [Fig. 1.1]({FIGURE})*',
    ),
    "figure without caption": (
        "![](../img/a.svg)\n:label:`x`",
        '<a id="x"></a>\n\n<img src="<img/a.svg>" alt="Fig. 2.1">\n\n*Fig. 2.1*',
    ),
    "decoration": ("![](../img/a.svg)", '<img src="<img/a.svg>" alt="">'),
    "missing figure": ("![B](gone.svg)\n:label:`x`", '<a id="x"></a>\n\n*Fig. 2.1: B*'),
    "missing decoration": ("![](gone.svg)", "*gone.svg*"),
    "figure of the web": (
        "![B](https://a.b/c.svg)",
        '<img src="https://a.b/c.svg" alt="Fig. 2.1: B">\n\n*Fig. 2.1: B*',
    ),
    "table": (
        ":A *c*\n\n| :ref:`fig` |\n|---|\n| b |",
        f"*Table 2.1: A *c**\n\n| [A]({FIGURE}) |\n|---|\n| b |",
    ),
    "table without caption": ("| a |\n|---|\n| b |\n", "| a |\n|---|\n| b |"),
    "formula": ("$$a$$\n:eqlabel:`x`", '<a id="x"></a>\n\n$$a \\tag{2.1}$$'),
    "formula without label": ("$$\na\n$$", "$$a$$"),
    "tab block": (":begin_tab:`jax`\na\n:end_tab:\nb", "a\n\nb"),
    "comment": ("a\n\n<!-- b -->\n\nc", "a\n\nc"),
    "left out": ("```toc\na\n```\n\n```eval_rst\nb\n```", ""),
    "misplaced": ("a\n\n:width:`3px`\n\nb", "a\n\nb"),
}


@pytest.mark.parametrize(("text", "markdown"), BLOCKS.values(), ids=BLOCKS)
def test_blocks_in_a_notebook(text, markdown):
    assert render(text) == markdown


@pytest.mark.parametrize(
    ("language", "figure", "table"),
    [
        ("en", "Fig. 2.1: B", "Table 2.1: A"),
        ("pt", "Figura 2.1: B", "Tabela 2.1: A"),
        ("zh", "图 2.1：B", "表 2.1：A"),
        ("fr", "Fig. 2.1\u00a0: B", "Tableau 2.1\u00a0: A"),
    ],
)
def test_captions(language, figure, table):
    shown = render("![B](../img/a.svg)\n\n:A\n\n| a |\n|---|\n| b |\n", language)
    assert f"*{figure}*" in shown
    assert f"*{table}*" in shown


def test_chinese_has_its_own_brackets_and_commas_around_a_citation():
    shown = render("如此:cite:`a.1, b:2`。:citet:`b:2`说", "zh")
    first, second = ("[Bee，1](other.ipynb#cite-a-1)", "[Dee 和 F，2](other.ipynb#cite-b-2)")
    assert shown == f"如此（{first}；{second}）。[Dee 和 F（2）](other.ipynb#cite-b-2)说"


def test_the_list_of_works_stands_once_and_has_anchors_in_one_chapter():
    text = ":cite:`b:2`\n\n:bibliography:`x.bib`\n\n:bibliography:`y.bib`\n"
    work = "C Dee and E F\\.\nU\\.\n2\\."
    assert render(text).endswith(f'<a id="cite-b-2"></a>\n\n{work}')
    assert render(text).count(work) == 1


def test_words_for_places_without_markup():
    assert plain_text("A *b*\n`c` [d](e#f) {ref}`g h <i>` $j < k$") == "A b c d g h $j < k$"
    assert fence_language("{.python .x}") == "python"
    assert fence_language("python") == "python"
    assert work_anchor("A.B:2_c") == "cite-a-b-2-c"
