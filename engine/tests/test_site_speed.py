"""What is done in less time gives the same as what it replaces."""

from __future__ import annotations

import pytest
from docutils import nodes
from ipython_pygments_lexers import IPython3Lexer

from polybook.site.speed import CellLexer, find_nodes

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
