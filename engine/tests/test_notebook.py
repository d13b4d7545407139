"""Notebooks of a tiny book with every construct of the dialect, against golden ones."""

from __future__ import annotations

import json
import os
import re
import shutil
import zipfile
from pathlib import Path

import nbformat
import pytest

from polybook.citations import Bibliography
from polybook.cli import main
from polybook.config import TocEntry
from polybook.dialect import parse
from polybook.frameworks import select
from polybook.languages import LANGUAGES
from polybook.notebook import NotebookFlavour, code_cell, to_notebook
from polybook.pipeline.book import load_book
from polybook.pipeline.notebooks import notebook_addresses
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
    return notebooks_in(book / "_build" / "notebooks" / "jupyter")


def notebooks_in(folder: Path) -> dict[str, str]:
    files = folder.rglob("*.ipynb")
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in files}


PYPROJECT = """\
[build-system]
requires = ["flit_core>=4,<5"]
build-backend = "flit_core.buildapi"
[project]
name = "tiny-numbers"
version = "1"
requires-python = ">=3.11"
description = "What the tiny book saves"
[tool.flit.module]
name = "d2l"
"""
SITE = "https://example.org/book"
HOSTING = """\
  notebooks: {repository: someone/books}
  chapters: {sums: {gpu: true}}
html: {baseurl: https://example.org/book}
"""


@pytest.fixture
def hosted(copy_book) -> Path:
    """A book whose notebooks are opened by hosted services, which install its library from its site."""
    book = copy_book("tiny")
    with (book / "_config.yml").open("a") as config:
        config.write(HOSTING)
    (book / "pyproject.toml").write_text(PYPROJECT)
    (book / "requirements").mkdir()
    (book / "requirements" / "pytorch.txt").write_text("torch==2.13.0\n")
    assert main(["library", "--book", str(book)]) == 0
    assert main(["notebooks", "--book", str(book)]) == 0
    return book / "_build" / "notebooks"


def test_golden_notebooks_of_services(hosted, same_as_golden):
    chosen = ("en/pytorch/sums", "en/pytorch/parts/means", "zh/mxnet/sums")
    notebooks = notebooks_in(hosted)
    assert len(notebooks) == 4 * 14
    same_as_golden(
        "services",
        {
            path: notebooks[path]
            for service in ("colab", "kaggle", "sagemaker")
            for path in (f"{service}/{name}.ipynb" for name in chosen)
        },
    )


def test_pages_lead_to_the_notebooks_of_their_frameworks(hosted):
    addresses = notebook_addresses(load_book(hosted.parents[1]), "zh")
    assert set(addresses) == {"index", "sums", "parts/means", "references"}
    github = "someone/books/blob/gh-pages/notebooks"
    assert addresses["parts/means"] == [
        ("jupyter", "pytorch", "notebooks/jupyter/zh/pytorch/parts/means.ipynb"),
        ("zip", "pytorch", "notebooks/jupyter/zh-pytorch.zip"),
        (
            "colab",
            "pytorch",
            f"https://colab.research.google.com/github/{github}/colab/zh/pytorch/parts/means.ipynb",
        ),
        (
            "kaggle",
            "pytorch",
            f"https://www.kaggle.com/kernels/welcome?src=https://github.com/{github}/kaggle/zh/pytorch/parts/means.ipynb",
        ),
        (
            "sagemaker",
            "pytorch",
            f"https://studiolab.sagemaker.aws/import/github/{github}/sagemaker/zh/pytorch/parts/means.ipynb",
        ),
    ]
    for found in addresses.values():
        for _, _, address in found:
            assert (hosted / address.rpartition("notebooks/")[2]).is_file()


def test_a_hosted_notebook_loads_nothing_but_from_the_site(hosted):
    for name, text in notebooks_in(hosted).items():
        addresses = re.findall(r'(?:src=\\"|!\[[^]]*\]\()([^\s")\\]+)', text)
        addresses += re.findall(r"\S+\.whl", text)
        assert all(address.startswith(f"{SITE}/notebooks/") for address in addresses), name
        for address in addresses:
            assert (hosted / address.removeprefix(f"{SITE}/notebooks/")).is_file(), (name, address)


def test_an_equal_library_makes_an_equal_wheel(hosted):
    (wheel,) = hosted.glob("*.whl")
    before = wheel.read_bytes()
    shutil.rmtree(hosted.parent)
    for path in hosted.parents[1].joinpath("d2l").iterdir():
        os.utime(path, (1e9, 1e9))
    assert main(["notebooks", "--book", str(hosted.parents[1])]) == 0
    assert wheel.read_bytes() == before


def test_a_library_that_cannot_be_packed_is_an_error(copy_book, capsys, monkeypatch):
    book = copy_book("tiny")
    monkeypatch.chdir(book)
    (book / "pyproject.toml").write_text(PYPROJECT.replace("flit_core.buildapi", "no_such_backend"))
    assert main(["notebooks"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("pyproject.toml: B008 The library cannot be packed: ")
    assert "no_such_backend" in line


def test_all_notebooks_of_a_language_and_a_framework_are_one_file(hosted):
    with zipfile.ZipFile(hosted / "jupyter" / "en-pytorch.zip") as packed:
        notebooks = notebooks_in(hosted / "jupyter" / "en" / "pytorch")
        assert set(packed.namelist()) == {
            *notebooks,
            "requirements.txt",
            "tiny_numbers-1-py3-none-any.whl",
        }
        assert {name: packed.read(name).decode() for name in notebooks} == notebooks


def test_nothing_is_installed_on_a_reader_s_machine_unasked(notebooks):
    for name, text in notebooks.items():
        sources = ["".join(cell["source"]) for cell in json.loads(text)["cells"]]
        assert not any(line.startswith("%pip") for source in sources for line in source.splitlines()), name
    assert "# %pip install --quiet tiny-numbers torch" in "\n".join(
        json.loads(notebooks["en/pytorch/sums.ipynb"])["cells"][0]["source"]
    )


@pytest.mark.parametrize(("tag", "menu"), [("en", "Download all notebooks"), ("zh", "下载全部笔记本")])
def test_a_notebook_says_where_the_library_is_if_no_site_has_it(copy_book, tag, menu):
    book = copy_book("tiny")
    (book / "pyproject.toml").write_text(PYPROJECT)
    assert main(["library", "--book", str(book)]) == 0
    assert main(["notebooks", "--book", str(book)]) == 0
    folder = book / "_build" / "notebooks" / "jupyter"
    first = json.loads(notebooks_in(folder)[f"{tag}/pytorch/sums.ipynb"])["cells"][0]["source"]
    wheel = "tiny_numbers-1-py3-none-any.whl"
    assert first[1].endswith(f" {wheel}\n")
    assert wheel in first[2]
    assert menu in first[2]


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
