"""What is done in less time gives the same as what it replaces."""

from __future__ import annotations

import ast
import inspect
import keyword
import statistics
import tokenize
import warnings
from pathlib import Path
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup
from docutils import nodes
from docutils.frontend import get_default_settings
from docutils.parsers.rst import Parser
from docutils.utils import new_document
from docutils.utils.smartquotes import educate_tokens
from ipython_pygments_lexers import IPython3Lexer
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers.python import PythonLexer
from pygments.styles import get_style_by_name
from sphinx.addnodes import highlightlang
from sphinx.transforms import SphinxSmartQuotes
from sphinx.transforms.post_transforms.code import HighlightLanguageTransform
from sphinx_design.shared import is_component as design_component

from polybook.site.highlighting import CellFormatter, CellLexer, QuickPythonLexer
from polybook.site.savings import apply_default_language, default_settings, is_component
from polybook.site.trees import find_nodes
from polybook.site.typography import texts_with_marks

TREE = nodes.section(
    "",
    nodes.title("", "A title"),
    nodes.paragraph("", "", nodes.Text("one "), nodes.emphasis("", "two"), nodes.Text(" three")),
    nodes.container("", nodes.container("", nodes.paragraph("", "deep")), nodes.container()),
    nodes.paragraph("", "last"),
)


def ids(found):
    return [id(node) for node in found]


@pytest.mark.parametrize("condition", [None, nodes.Text, nodes.container, lambda node: bool(node.children)])
@pytest.mark.parametrize("options", [{}, {"include_self": False}, {"siblings": True}, {"descend": False}])
def test_the_same_nodes_are_found_in_the_same_order(condition, options):
    for node in TREE.findall():
        assert ids(find_nodes(node, condition, **options)) == ids(node.findall(condition, **options))


def test_nodes_may_be_replaced_while_they_are_found():
    def replaced(find):
        tree = TREE.deepcopy()
        for text in find(tree, nodes.Text):
            text.parent.replace(text, [nodes.strong("", "", nodes.inline()), nodes.inline()])
        return tree.pformat()

    assert replaced(find_nodes) == replaced(nodes.Node.findall)


@pytest.mark.parametrize(
    "texts",
    [
        ['He said "', "yes", "\" and 'no'."],
        ["plain. Text; with (marks)", "'s", ' "end"'],
        ["1990--2000 --- or", "so... . . .", "it's"],
        ["a\0'b", "\0-\0-c", '\\"d'],
        ["", '"', "", "'", "x"],
    ],
)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_quotation_marks_are_those_that_sphinx_makes(texts, language):
    def educated(find):
        paragraph = nodes.paragraph("", "", *map(nodes.Text, texts))
        tokens = find(None, list(paragraph.children))
        return list(educate_tokens(tokens, attr="qDe", language=language))

    assert educated(texts_with_marks) == educated(SphinxSmartQuotes.get_tokens)


@pytest.mark.parametrize("midway", [[], [highlightlang(lang="c", force=False, linenothreshold=3)]])
def test_blocks_of_code_have_the_language_that_sphinx_gives_them(midway):
    def told(apply):
        document = new_document("")
        own = nodes.literal_block("", "one", language="julia")
        between = [each.deepcopy() for each in midway]
        document.extend([nodes.literal_block("", "a\nb\nc"), own, *between, TREE.deepcopy()])
        document[-1].append(nodes.literal_block("", "a\nb\nc"))
        transform = HighlightLanguageTransform(document)
        document.settings.env = SimpleNamespace(config=SimpleNamespace(highlight_language="python"))
        apply(transform)
        return document.pformat()

    assert told(apply_default_language) == told(HighlightLanguageTransform.apply)


def test_parts_of_a_page_are_those_that_sphinx_design_knows():
    part = nodes.container("", nodes.paragraph("", "text"), design_component="tab-set")
    for node in [*part.findall(), *TREE.findall()]:
        assert is_component(node, "tab-set") == design_component(node, "tab-set") == (node is part)


def test_settings_are_those_that_docutils_has_and_each_document_has_its_own():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        expected = get_default_settings(Parser)
    one, other = default_settings(Parser), default_settings(Parser)
    assert vars(one).keys() == vars(expected).keys()
    assert {name: value for name, value in vars(one).items() if name != "record_dependencies"} == {
        name: value for name, value in vars(expected).items() if name != "record_dependencies"
    }
    one.language_code = "fr"
    assert other.language_code == "en"


@pytest.mark.parametrize(
    "code",
    [
        "@d2l.save\nclass A(B):\n    def f(self, x: int) -> None:\n        return f'{x:.1f}' @ y\n",
        "a = 7 % 3 != 1\n",
        "%matplotlib inline\n!pip install x\nprint?\n",
        "%%time\nx = 1\n",
        "# only a comment",
        "",
        "broken ( \x0c $",
    ],
)
def test_code_is_coloured_as_ipython_does(code):
    assert list(CellLexer().get_tokens(code)) == list(IPython3Lexer().get_tokens(code))


@pytest.mark.parametrize("module", [ast, inspect, keyword, statistics, tokenize])
def test_python_is_coloured_as_pygments_does(module):
    code = Path(module.__file__).read_text(encoding="utf-8")
    assert list(QuickPythonLexer().get_tokens(code)) == list(PythonLexer().get_tokens(code))


@pytest.mark.parametrize(
    "code",
    [
        "a.self.print = self.print(1., .5, 0x1f, 1_0, 5j, 007)",
        "rb'x' if u'y' else f'{x!r:>{width}}' '''z'''",
        "match x:\n    case _:\n        yield from _\nmatch = case",
        "  \n  '''doc'''\n    r\"\"\"doc\"\"\"\n\tx\t= 1 \n  ",
        "x: int = (y := 3); x -= -1 << 2 >= ~z != w",
        "é = naïve + nombre_é; a\\\n  .b",
        "async def f(): await x; async with y: pass\nfrom . import a as b",
    ],
)
def test_rare_python_is_coloured_as_pygments_does(code):
    assert list(QuickPythonLexer().get_tokens(code)) == list(PythonLexer().get_tokens(code))


CODE = "def f(self, x):\n    return x.y + 1  # one\n"


def test_marked_is_what_has_a_colour_of_its_own_in_some_style():
    styles = [get_style_by_name(name) for name in ("a11y-high-contrast-light", "a11y-high-contrast-dark")]
    html = highlight(CODE, CellLexer(), CellFormatter(styles))
    assert '<span class="k">def</span> <span class="nf">f</span>(' in html
    assert '<span class="c1"># one</span>' in html
    assert 'class="n"' not in html
    whole = highlight(CODE, CellLexer(), HtmlFormatter())
    assert BeautifulSoup(html, "html.parser").text == BeautifulSoup(whole, "html.parser").text


def test_a_style_that_colours_names_gets_them_marked():
    styles = [get_style_by_name("a11y-high-contrast-light"), get_style_by_name("monokai")]
    assert '<span class="p">(</span>' not in highlight(CODE, CellLexer(), CellFormatter(styles[:1]))
    assert '<span class="o">+</span>' in highlight(CODE, CellLexer(), CellFormatter(styles))
