"""What holds for every text: nothing is lost, nothing raises, a second pass changes nothing."""

from __future__ import annotations

import ast
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from dump import read_examples
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from oracle.compare import seed_paths

from polybook.dialect import (
    find_elements,
    find_roles,
    find_saved_statements,
    parse,
    prune,
    replace_code,
    replace_roles,
    split_setup,
    split_tab_marks,
    strip_save_marks,
)
from polybook.dialect.python import parse_module, split_lines, without_comments
from polybook.model import Mark, write

FIXTURES = Path(__file__).parent / "fixtures"
PAGE = Path(__file__).parents[2] / "docs" / "dialect.md"

settings.register_profile("dialect", max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile("dialect")


def read_pieces(name: str) -> list[str]:
    """Return pieces of text, one a line; `¶` stands for a line end, `·` for a blank."""
    lines = (FIXTURES / "pieces" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [line.replace("¶", "\n").replace("·", " ") for line in lines]


#: What texts are put together from.
PIECES = [
    *"\n\n\n  \t#$*:`|-=!<>[](){}~_\\\"'%?,;.a",
    *("\r\n", "\r", "\0", "\x0c", "\u2028", "\ufeff", "环", "é", "    ", "    "),
    *read_pieces("marks"),
]
texts = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)


def known_texts() -> list[str]:
    """Return every text that other tests read: examples, the page about the dialect, the seeds."""
    found = [text for path in (FIXTURES / "dialect").glob("*.txt") for _, text, _ in read_examples(path, 2)]
    found += [f"```{{.python .input}}\n{code}```\n" for code in known_cells()]
    found += [path.read_text(encoding="utf-8") for path in [PAGE, *seed_paths()]]
    return [*found, *(text.replace("\n", "\r\n") for text in found)]


def known_cells() -> list[str]:
    examples = (read_examples(path, 3) for path in (FIXTURES / "frameworks").glob("*.txt"))
    return [code.replace("\r\n", "\n") for each in examples for _, code, _, _ in each]


def check_text(text: str) -> None:
    blocks = parse(text).blocks
    assert write(blocks) == text
    line = 1
    for block in blocks:
        assert block.line == line
        assert block.source
        line += block.source.count("\n")
    elements = find_elements(blocks)
    marks = sum(len(element.marks) + isinstance(element.block, Mark) for element in elements)
    assert marks == sum(isinstance(block, Mark) for block in blocks)
    roles = list(find_roles(text))
    assert all(text[role.start : role.end].startswith(f":{role.name}:`{role.value}`") for role in roles)
    replace_roles(text, lambda role: role.value)
    for cell in parse(text).cells:
        assert replace_code(cell, cell.code).source == cell.source
        check_cell(cell.code)


def check_cell(code: str) -> None:
    split_tab_marks(code)
    split_setup(code)
    for saved in find_saved_statements(code):
        assert (saved.node is None) == (not saved.source)
    stripped = strip_save_marks(code)
    assert strip_save_marks(stripped) == stripped
    pruned = prune(code, "jax")
    assert prune(pruned, "jax") == pruned
    if parse_module(code) is not None:
        assert parse_module(pruned) is not None
    without_comments(code)


@pytest.mark.parametrize("text", known_texts())
def test_known_texts(text: str) -> None:
    check_text(text)


@given(texts)
@example("```{.python .input}\r\nx\n```")
@example("```{.python .input}\nx\r\r\n```")
def test_texts_of_the_dialects_marks(text: str) -> None:
    check_text(text)


@given(st.text())
def test_any_text(text: str) -> None:
    check_text(text)
    check_cell(text)


@given(texts)
def test_any_cell(code: str) -> None:
    check_cell(code)


@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
def test_other_code_for_a_cell_is_read_back(code: str) -> None:
    assume("\r" not in code)
    for text in (
        "```{.python .input}\nx\n```\n",
        "  ~~~{.python .input}\r\n  ~~~",
        "````{.python .input}\nx",
    ):
        (cell,) = parse(text).cells
        changed = replace_code(cell, code)
        assert parse(changed.source).cells == (changed,)


# ---------------------------------------------------------------- programs

TESTS = (
    "tab.selected('jax')",
    "tab.selected('mxnet')",
    "not tab.selected(['jax', 'mxnet'])",
    "tab.selected('jax') or x",
    "x and tab.selected('mxnet')",
    "(tab.selected('jax')\n  )",
    "x",
    "y == 1",
)
SIMPLE = (
    "x = 1",
    "pass; y = 2",
    "# A comment\nx = 2",
    's = """\n  a\n b"""',
    "z = f(1,\n2)",
    "w = (a\n     if tab.selected('jax') else\n  b)",
    "v = 1 if tab.selected('mxnet') else (n := 2)",
    "x = 1  #@save",
    "%time\n",
)
FORMS = {
    "if": "if {tests[0]}:\n{comment}{0}",
    "else": "if {tests[0]}:\n{0}\n{comment}else:  # Why\n{1}",
    "elif": "if {tests[0]}:\n{0}\nelif {tests[1]}:\n{comment}{1}\nelse:\n{2}",
    "def": "def f():\n{0}",
    "try": "try:\n{0}\nexcept E:\n{1}\nfinally:\n{comment}{2}",
    "one line": "if {tests[0]}: x = 1\nelif {tests[1]}: y = 2; z = 3\nelse: s = '''\n a'''",
}
#: How many blocks each form has.
BODIES = {"if": 1, "else": 2, "elif": 3, "def": 1, "try": 3, "one line": 0}
UNITS = ("    ", "  ", "\t", "        ")


def indented(text: str, unit: str) -> str:
    inside = False
    lines = []
    for line in text.split("\n"):
        lines.append(line if inside or not line else unit + line)
        inside ^= line.count('"""') % 2 == 1
    return "\n".join(lines)


@st.composite
def programs(draw: st.DrawFn, depth: int = 2) -> str:
    statements = []
    for _ in range(draw(st.integers(1, 2))):
        kind = draw(st.sampled_from(["simple", *FORMS]))
        if depth == 0 or kind == "simple":
            statements.append(draw(st.sampled_from(SIMPLE)))
            continue
        unit = draw(st.sampled_from(UNITS))
        tests = [draw(st.sampled_from(TESTS)) for _ in range(3)]
        body = [indented(draw(programs(depth=depth - 1)), unit) for _ in range(BODIES[kind])]
        comment = draw(st.sampled_from(["", "# A comment\n", "\n", f"{unit}# Inside\n"]))
        statements.append(FORMS[kind].format(*body, tests=tests, comment=comment))
    return "\n".join(statements) + draw(st.sampled_from(["", "\n"]))


class Decide(ast.NodeTransformer):
    """Decides `tab.selected` in a tree, another way than the code under test."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if ast.unparse(node.func) == "tab.selected":
            names = [name.value for name in ast.walk(node) if isinstance(name, ast.Constant)]
            return ast.Constant("jax" in names)
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Not) and isinstance(node.operand, ast.Constant):
            return ast.Constant(not node.operand.value)
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        self.generic_visit(node)
        decisive = isinstance(node.op, ast.Or)
        rest = [value for value in node.values if not isinstance(value, ast.Constant)]
        if any(isinstance(value, ast.Constant) and value.value is decisive for value in node.values):
            return ast.Constant(decisive)
        node.values = rest
        return ast.Constant(not decisive) if not rest else rest[0] if len(rest) == 1 else node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.test, ast.Constant):
            return node.body if node.test.value else node.orelse
        return node

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        if isinstance(node.test, ast.Constant):
            return node.body if node.test.value else node.orelse
        node.body = node.body or [ast.Pass()]
        return node

    def visit_Try(self, node: ast.Try) -> ast.AST:
        self.generic_visit(node)
        for block in (node, *node.handlers):
            block.body = block.body or [ast.Pass()]
        node.finalbody = node.finalbody or [ast.Pass()]
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.body = node.body or [ast.Pass()]
        return node


def meaning(code: str) -> str | None:
    module = parse_module(code)
    return None if module is None else ast.unparse(module)


@given(programs())
def test_a_pruned_program_does_what_the_framework_says(code: str) -> None:
    check_cell(code)
    module = parse_module(code)
    assert module is not None
    decided = ast.fix_missing_locations(Decide().visit(module))
    assert meaning(prune(code, "jax")) == ast.unparse(decided)


@given(programs())
def test_strings_and_untouched_lines_stay(code: str) -> None:
    kept = {line.strip() for line in split_lines(prune(code, "jax"))}
    written = {line.strip() for line in split_lines(code)}
    changed = {line for line in kept - written if "=" not in line}
    assert all(line.startswith(("if ", "else:", "pass")) for line in changed), changed


# -------------------------------------------------------------- adversaries

SIZE = 200_000


def seconds(action: Callable[[], object]) -> float:
    start = time.process_time()
    action()
    return time.process_time() - start


@pytest.mark.parametrize("piece", read_pieces("adversaries"))
def test_time_is_linear_in_the_text(piece: str) -> None:
    text = (piece * (SIZE // len(piece) + 1))[:SIZE]

    def read() -> None:
        blocks = parse(text).blocks
        find_elements(blocks)
        list(find_roles(text))
        replace_roles(text, lambda role: role.value)
        list(find_roles(f"{text} :a:`b`"))
        replace_roles(f"{text} ** :a:`b`", lambda role: role.value)

    assert seconds(read) < 2


@pytest.mark.parametrize("piece", read_pieces("adversarial_cells"))
def test_time_is_linear_in_the_cell(piece: str) -> None:
    code = piece * (SIZE // 4 // len(piece))

    def read() -> None:
        for suffix in ("", "\nx = 1\n#@tab b\nx  #@save\nif tab.selected('a'):\n    y\n"):
            split_tab_marks(code + suffix)
            split_setup(code + suffix)
            find_saved_statements(code + suffix)
            strip_save_marks(code + suffix)
            prune(code + suffix, "jax")

    assert seconds(read) < 5


def test_code_nested_deeper_than_python_reads_is_left_alone() -> None:
    deep = [
        "(" * 5000,
        "not " * 5000 + "tab.selected('a')",
        "-" * 5000 + "tab.selected",
        "[" * 150 + "]" * 150,
    ]
    for code in (*deep, "if tab.selected('a'):\n  x\n" + "elif tab.selected('b'):\n  y\n" * 3000):
        check_cell(code)
