"""Blocks, marks and roles: each construct has a file of examples in `fixtures/dialect`."""

from __future__ import annotations

from pathlib import Path

import pytest
from dump import dump, read_examples

from polybook.dialect import find_saved_statements, parse, replace_code, replace_roles, strip_save_marks
from polybook.dialect.cells import ALL, split_tab_marks
from polybook.dialect.roles import find_roles
from polybook.model import Cell, Heading, Math, Table

EXAMPLES = [
    pytest.param(text, expected, id=f"{path.stem}: {title}")
    for path in sorted((Path(__file__).parent / "fixtures" / "dialect").glob("*.txt"))
    for title, text, expected in read_examples(path, 2)
]


@pytest.mark.parametrize(("text", "expected"), EXAMPLES)
def test_example(text: str, expected: str) -> None:
    assert dump(text) == expected.rstrip("\n")


def test_blocks_hold_what_is_between_their_marks() -> None:
    text = ":Caption\na | b\n--|--\n1 | 2\n$$\nx\n$$\n# A :label:`b`\n"
    text += "  ```{.python .input}\n    x\n\n  y\n  ```\n"
    table, math, heading, _, cell = parse(text).blocks
    assert isinstance(table, Table)
    assert table.rows == "a | b\n--|--\n1 | 2"
    assert isinstance(math, Math)
    assert math.tex == "x"
    assert isinstance(heading, Heading)
    assert heading.title == "A"
    assert isinstance(cell, Cell)
    assert (cell.options, cell.code, cell.code_line) == (".python .input", "  x\n\ny\n", 10)


def test_a_role_knows_where_it_stands() -> None:
    text = "在:numref:`a`和(**:cite:`b,\nc`**)。"
    roles = list(find_roles(text))
    assert [text[role.start : role.end] for role in roles] == [":numref:`a`", ":cite:`b,\nc`"]
    assert [role.keys for role in roles] == [("a",), ("b", "c")]
    seen = []
    replace_roles(text, lambda role: seen.append(role) or "")
    assert seen == roles


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("x = 1  #@save", "x = 1"),
        ("#@save\nx = 1\n", "x = 1\n"),
        ("x = 1\n  # @save\ny = 2  #@save\n", "x = 1\ny = 2\n"),
        ("x = 1  # Why  #@save\n", "x = 1  # Why\n"),
        ("x = '#@save'\n", "x = '#@save'\n"),
        ("x = '''\n#@save\n'''  #@save\n", "x = '''\n#@save\n'''\n"),
        ("x = 1  #@saved\n", "x = 1  #@saved\n"),
        ("%time x\nx = 1  #@save\n", "%time x\nx = 1\n"),
    ],
)
def test_save_marks_go(code: str, expected: str) -> None:
    assert strip_save_marks(code) == expected


def test_a_saved_statement_has_its_decorators_and_no_mark() -> None:
    code = "x = 1\n\n@a\n@b(1,\n   2)  #@save\ndef f():\n    return 1  # One\n\ny = 2\n"
    (saved,) = find_saved_statements(code)
    assert saved.mark_line == 5
    assert saved.source == "@a\n@b(1,\n   2)\ndef f():\n    return 1  # One"


def test_frameworks_are_named_once_in_the_order_written() -> None:
    assert split_tab_marks("#@tab b, a\n#@tab a c\nx\n") == (("b", "a", "c"), "x\n")
    assert split_tab_marks("%%tab all") == ((ALL,), "")
    assert split_tab_marks("x = '#@tab a'\n") == (None, "x = '#@tab a'\n")


@pytest.mark.parametrize(
    ("text", "code", "expected"),
    [
        ("```{.python .input}\nx\n```\n", "y\nz\n", "```{.python .input}\ny\nz\n```\n"),
        ("```{.python .input}\nx\n```\n", "y", "```{.python .input}\ny\n```\n"),
        ("```{.python .input}\nx\n```\n", "", "```{.python .input}\n```\n"),
        ("```{.python .input}\n```", "y", "```{.python .input}\ny\n```"),
        ("```{.python .input}\r\nx\r\n```\r\n", "y\nz\n", "```{.python .input}\r\ny\r\nz\r\n```\r\n"),
        ("  ```{.python .input}\n  x\n  ```\n", "y\n\nz\n", "  ```{.python .input}\n  y\n\n  z\n  ```\n"),
        ("```{.python .input}\nx\n", "y", "```{.python .input}\ny\n"),
        ("~~~{.python .input}\nx\n~~~~  \n", "y", "~~~{.python .input}\ny\n~~~~  \n"),
        ("```{.python .input}\nx\n```\n", '"""\n```\n"""\n', '````{.python .input}\n"""\n```\n"""\n````\n'),
    ],
)
def test_a_cell_gets_other_code(text: str, code: str, expected: str) -> None:
    (cell,) = parse(text).cells
    changed = replace_code(cell, code)
    assert changed.source == expected
    assert parse(expected).cells == (changed,)
