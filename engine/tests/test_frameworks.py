"""What a chapter says for one framework: cells of examples in `fixtures/frameworks`."""

from __future__ import annotations

from pathlib import Path

import pytest
from dump import dump, read_examples

from polybook.dialect import find_elements, parse
from polybook.dialect.python import parse_module
from polybook.frameworks import chapter_frameworks, code_for, select
from polybook.model import Cell

EXAMPLES = [
    pytest.param(code.replace("\r\n", "\n"), framework.strip(), expected, id=f"{path.stem}: {title}")
    for path in sorted((Path(__file__).parent / "fixtures" / "frameworks").glob("*.txt"))
    for title, code, framework, expected in read_examples(path, 3)
]
FRAMEWORKS = ("pytorch", "tensorflow", "jax")


@pytest.mark.parametrize(("code", "framework", "expected"), EXAMPLES)
def test_example(code: str, framework: str, expected: str) -> None:
    cell = Cell(1, "", "", code, closed=True)
    assert (code_for(cell, framework, default="pytorch") or "") == expected.rstrip("\n")


@pytest.mark.parametrize(("code", "framework", "expected"), EXAMPLES)
def test_python_stays_python(code: str, framework: str, expected: str) -> None:
    if parse_module(code) is not None:
        assert parse_module(expected) is not None


CHAPTER = """# A

:begin_tab:`pytorch`
One.
:end_tab:

:begin_tab:`jax, pytorch`
Two.

:begin_tab:`all`
Three.
:end_tab:

```{.python .input}
x = 1
```

```{.python .input}
#@tab jax
y = 1
```

:end_tab:
Four.
"""


def test_a_chapter_for_one_framework() -> None:
    selected = select(parse(CHAPTER, "a.md"), "jax", default="pytorch")
    assert selected.path == "a.md"
    assert [cell.code for cell in selected.cells] == ["y = 1"]
    shown = "".join(element.block.source for element in find_elements(selected.blocks))
    assert [word for word in ("One", "Two", "Three", "Four") if word in shown] == ["Two", "Three", "Four"]


def test_a_selected_block_keeps_its_line_and_source() -> None:
    document = parse(CHAPTER)
    (cell,) = select(document, "jax", default="pytorch").cells
    assert (cell.line, cell.source) == (document.cells[1].line, document.cells[1].source)


def cell(code: str) -> str:
    return f"```{{.python .input}}\n{code}\n```\n"


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([], FRAMEWORKS),
        (["x"], ("pytorch",)),
        (["#@tab all"], FRAMEWORKS),
        (["#@tab jax", "#@tab all"], ("jax",)),
        (["#@tab jax", "x"], ("pytorch", "jax")),
        (["#@tab jax, tensorflow, other"], ("tensorflow", "jax")),
        (["%load_ext d2lbook.tab", "#@tab jax"], ("jax",)),
    ],
)
def test_a_chapter_has_the_frameworks_that_its_cells_name(
    cells: list[str], expected: tuple[str, ...]
) -> None:
    document = parse("".join(map(cell, cells)))
    assert chapter_frameworks(document, FRAMEWORKS, default="pytorch") == expected


def test_an_unclosed_tab_block_ends_somewhere() -> None:
    assert dump(":begin_tab:`a`\nText.") == "begin_tab 1: a\nprose 2: Text."
