"""Books with errors in them: each is named with its place, and everything else is built.

A case is a folder of `books/bad`, laid over `books/base`; `expected.txt` holds what is printed.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polybook.cli import main
from polybook.errors import ConfigError
from polybook.pipeline.book import load_book
from polybook.pipeline.build import site_source
from polybook.pipeline.notebooks import write_notebooks

BOOKS = Path(__file__).parent / "books"
CASES = sorted(path.name for path in (BOOKS / "bad").iterdir())


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Path:
    return BOOKS / "bad" / request.param


@pytest.fixture
def book(case: Path, tmp_path: Path) -> Path:
    shutil.copytree(BOOKS / "base", tmp_path, dirs_exist_ok=True)
    shutil.copytree(case, tmp_path, dirs_exist_ok=True)
    return tmp_path


def expected(case: Path, printed: str, update: bool) -> str:
    path = case / "expected.txt"
    if update:
        path.write_text(printed, encoding="utf-8")
    return path.read_text(encoding="utf-8")


def test_check_says_what_is_wrong(case, book, capsys, pytestconfig):
    assert main(["check", "--book", str(book)]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == expected(case, printed.err, pytestconfig.getoption("--update-golden"))


def test_the_other_notebooks_are_written_all_the_same(case, book, capsys):
    assert main(["notebooks", "--book", str(book)]) == 1
    assert capsys.readouterr().err == (case / "expected.txt").read_text(encoding="utf-8")
    try:
        loaded = load_book(book)
    except ConfigError:
        return
    for language in loaded.config.languages:
        for framework in ("pytorch", "mxnet"):
            path = book / "_build/notebooks/jupyter" / language / framework / "good.ipynb"
            nbformat.validate(nbformat.read(path, as_version=4))


def test_the_pages_are_made_all_the_same(book):
    try:
        loaded = load_book(book)
    except ConfigError:
        return
    for language in loaded.config.languages:
        source = site_source(loaded, language)
        for name in [*loaded.shown(language), loaded.toc.root]:
            nbformat.validate(nbformat.reads(source.files[f"{name}.ipynb"], as_version=4))


#: What chapters are made of, and what they are broken with.
LINES = """\
# A
## B
---
:label:`x`
:label:`good`
:eqlabel:`e`
:width:`3px`
$$a$$
$$
```{.python .input}
```
```bash
```toc
```eval_rst
~~~
#@tab all
#@tab mxnet
%%tab pytorch
%load_ext d2lbook.tab
!ls
x = 1
if tab.selected('pytorch'):
else:
    y = 2
def f():  #@save
    return g()
#@save
class A: pass  #@save
@d2l.add_to_class(A)  #@save
:begin_tab:`pytorch`
:end_tab:
![cap :numref:`x`](a.svg)
![](gone.svg)
| a | b |
|---|---|
:Caption
:bibliography:`a.bib`
""".splitlines(keepends=True)
WORDS = """\
:numref:`x`
:cite:`k,l`
[l](good.md#x)
[**
**]
(~~
~~)
<!--
-->
`
``
{ref}`
*
\\
(
)
]
$
-
1.
中文
é
""".splitlines()
PIECES = [*LINES, *WORDS, "\n", "\n\n", "\r\n", "  ", "\t", "\u2028", "\f", "\0", '"""']


@settings(max_examples=50, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(PIECES), max_size=40))
def test_no_chapter_stops_a_build(tmp_path_factory, pieces):
    book = tmp_path_factory.mktemp("book")
    shutil.copytree(BOOKS / "base", book, dirs_exist_ok=True)
    config = (book / "_config.yml").read_text() + "  library: {module: d2l}\n"
    (book / "_config.yml").write_text(config)
    (book / "bad.md").write_bytes("".join(pieces).encode())
    loaded = load_book(book)
    assert all("\n" not in str(finding) for finding in loaded.check())
    for name, content in site_source(loaded, "en").files.items():
        if name.endswith(".ipynb"):
            nbformat.validate(nbformat.reads(content, as_version=4))
    for name in write_notebooks(loaded, book / "notebooks"):
        nbformat.validate(nbformat.read(book / "notebooks" / name, as_version=4))


@pytest.mark.slow
def test_the_site_is_built_all_the_same(tmp_path, capsys):
    """The bad chapters in one book: Sphinx has nothing to say of what `check` has reported."""
    shutil.copytree(BOOKS / "base", tmp_path, dirs_exist_ok=True)
    names = []
    for case in CASES:
        if case == "unclosed_cell":  # prose shown as code, which Sphinx warns of
            continue
        if (BOOKS / "bad" / case / "bad.md").is_file():
            shutil.copytree(BOOKS / "bad" / case, tmp_path / case)
            names.append(f"{case}/bad")
    files = "".join(f"  - file: {name}\n" for name in ["good", *names])
    (tmp_path / "_toc.yml").write_text(f"format: jb-book\nroot: missing\nchapters:\n{files}")
    assert main(["build", "--book", str(tmp_path)]) == 1
    assert " B008 " not in capsys.readouterr().err
    built = tmp_path / "_build/html/en"
    readable = [name for name in names if name != "not_utf8/bad"]
    assert all((built / f"{name}.html").is_file() for name in ["missing", "good", *readable])
