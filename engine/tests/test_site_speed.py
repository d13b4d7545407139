"""What is done in less time gives the same as what it replaces."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from docutils import nodes
from ipython_pygments_lexers import IPython3Lexer
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.styles import get_style_by_name

from polybook.site.highlighting import CellFormatter, CellLexer
from polybook.site.trees import find_nodes

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
