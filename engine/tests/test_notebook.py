"""Notebooks of a tiny book with every construct of the dialect, against golden ones."""

from __future__ import annotations

import json
import re

import nbformat
import pytest

from polybook.citations import Bibliography
from polybook.cli import main
from polybook.config import TocEntry
from polybook.dialect import parse
from polybook.frameworks import select
from polybook.languages import LANGUAGES
from polybook.notebook import NotebookFlavour, code_cell, to_notebook
from polybook.references import Chapter, build_index

#: What no reader may ever see.
DIALECT = re.compile(
    r":(?:numref|eqref|ref|cite|citet|citep|label|eqlabel|width|height|bibliography|begin_tab|end_tab):"
    r"|@tab|%%tab|@save|tab\.selected|interact_select|load_ext|required_libs|\.input|\{\.|```(?:toc|eval_rst)"
    r"|\(\*\*|\*\*\)|\[\*\*|\*\*\]|\(~~|~~\)|<!--"
)


@pytest.fixture
def notebooks(copy_book) -> dict[str, str]:
    book = copy_book("tiny")
    assert main(["notebooks", "--book", str(book)]) == 0
    folder = book / "_build" / "notebooks"
    assert (folder / "img" / "scale.svg").is_file()
    files = folder.rglob("*.ipynb")
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in files}


def test_golden(notebooks, same_as_golden):
    same_as_golden("notebooks", notebooks)


def test_notebooks_are_valid_and_free_of_the_dialect(notebooks):
    for name, text in notebooks.items():
        notebook = json.loads(text)
        nbformat.validate(notebook)
        for cell in notebook["cells"]:
            assert not DIALECT.search("".join(cell["source"])), name


def test_links_between_notebooks_lead_somewhere(notebooks):
    """Each link names a notebook of the same language and framework, and an anchor in it."""
    for name, text in notebooks.items():
        edition, folder = name.split("/")[:2], name.split("/")[2:-1]
        for link in re.findall(r"\]\(([^()\s:]*)\)", text):
            path, _, anchor = link.partition("#")
            if path.endswith(".svg"):
                continue
            parts = [*folder]
            for part in path.split("/") if path else []:
                parts = parts[:-1] if part == ".." else [*parts, part]
            target = notebooks["/".join([*edition, *parts])] if path else text
            assert not anchor or f'id=\\"{anchor}\\"' in target, (name, link)


def notebook_of(text: str, framework: str = "pytorch", name: str = "a"):
    chapter = Chapter.of(TocEntry(name, (1,)), select(parse(text, f"{name}.md"), framework, "pytorch"))
    index = build_index([chapter], LANGUAGES["en"], Bibliography({}))
    return to_notebook(chapter, index, NotebookFlavour(name, None, lambda path: path), frozenset({name}))


def sources(text: str, **options) -> list[str]:
    return ["".join(cell["source"]) for cell in notebook_of(text, **options)["cells"]]


CELL = "```{.python .input}\nx = 1\n```\n"


def test_prose_and_code_take_turns_and_empty_cells_are_left_out():
    assert sources(f"{CELL}\n\n{CELL}a\n{CELL}\n") == ["x = 1", "x = 1", "a", "x = 1"]
    assert sources("") == []
    assert [cell["id"] for cell in notebook_of(f"a\n{CELL}b")["cells"]] == ["cell-0", "cell-1", "cell-2"]


def test_windows_line_ends_make_the_same_notebook():
    text = f"# T\n\nA\nb.\n\n$$a\nb$$\n\n```bash\nls\n```\n\n| a |\n|---|\n| b |\n\n{CELL}"
    assert notebook_of(text.replace("\n", "\r\n")) == notebook_of(text)


@pytest.mark.parametrize(
    ("fence", "shown"),
    [
        ("```python\nx\n```", "```python\nx\n```"),
        ("```{.python}\nx\n```", "```python\nx\n```"),
        ("```{.bash .numberLines}\nx\n```", "```bash\nx\n```"),
        ("~~~\nx\n~~~", "~~~\nx\n~~~"),
        ("````\n```\n````", "````\n```\n````"),
    ],
)
def test_a_fence_is_plain_markdown(fence, shown):
    assert sources(f"a\n\n{fence}\n") == [f"a\n\n{shown}"]


def test_the_classes_of_a_cell_are_its_tags():
    (cell,) = parse("```{.python .input .hide-output n=3 .nbval-skip}\n1\n```\n", "a.md").cells

    assert cell.tags == ["hide-output", "nbval-skip"]
    assert code_cell(cell.code, cell.tags)["metadata"] == {"tags": ["hide-output", "nbval-skip"]}
    assert code_cell(cell.code)["metadata"] == {}
