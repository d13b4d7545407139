"""Five chapters written by others, as a book: the builder takes them as they are."""

import json
import os
import re
import shutil
from pathlib import Path

import nbformat
import pytest
from lxml import html

from polybook.cli import main
from polybook.diagnostics import Code
from polybook.pipeline.book import load_book

BOOK = Path(__file__).parent / "books" / "seeds"
SEEDS = Path(os.environ.get("POLYBOOK_SEEDS", Path(__file__).parents[3] / "shared" / "seeds"))
pytestmark = pytest.mark.skipif(
    not SEEDS.is_dir(), reason=f"the seed chapters are not in {SEEDS}; POLYBOOK_SEEDS names their folder"
)

#: The notebooks of each language that are made from a chapter in that language.
NOTEBOOKS = {
    "pt": {
        "mxnet": {"rnn", "rnn-concise", "deep-rnn"},
        "pytorch": {"rnn", "rnn-concise", "deep-rnn"},
        "tensorflow": {"rnn"},
    },
    "zh": {"mxnet": {"deep-rnn"}, "pytorch": {"deep-rnn"}},
    "fr": {"mxnet": {"deep-rnn"}, "pytorch": {"deep-rnn"}, "tensorflow": {"deep-rnn"}},
}
DIALECT = re.compile(
    r":numref:|:eqref:|:label:|:eqlabel:|:cite:|:begin_tab:|:end_tab:|:width:"
    r"|#@tab|%%tab|#@save|tab\.selected|interact_select|\{\.python|\(\*\*(?!kwargs)|\*\*\)|stackedit"
)


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    root = tmp_path_factory.mktemp("seeds")
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy(BOOK / name, root / name)
    for place, seed in json.loads((BOOK / "seeds.json").read_text()).items():
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(SEEDS / seed, root / place)
    return root


def test_every_flaw_is_reported_with_file_and_line(book, capsys):
    assert main(["check", "--book", str(book)]) == 1
    assert capsys.readouterr().err == (BOOK / "expected.txt").read_text(encoding="utf-8")


def test_a_notebook_for_each_chapter_language_and_framework(book, capsys):
    main(["notebooks", "--book", str(book)])
    folder = book / "_build" / "notebooks"
    for language, frameworks in NOTEBOOKS.items():
        for framework, chapters in frameworks.items():
            for chapter in chapters:
                text = (folder / "jupyter" / language / framework / f"{chapter}.ipynb").read_text(
                    encoding="utf-8"
                )
                assert not DIALECT.search(text), DIALECT.search(text)
                nbformat.validate(nbformat.reads(text, as_version=4))
    assert not (folder / "jupyter" / "pt" / "tensorflow" / "deep-rnn.ipynb").exists()


@pytest.fixture(scope="module")
def site(book):
    main(["build", "--book", str(book), "-j", "2"])
    return book / "_build" / "html"


@pytest.mark.slow
def test_sphinx_has_nothing_to_say(book, site, capsys):
    assert main(["build", "--book", str(book)]) == 1
    assert f" {Code.RENDERING.value} " not in capsys.readouterr().err
    assert (site / "index.html").exists()


@pytest.mark.slow
@pytest.mark.parametrize("language", NOTEBOOKS)
def test_labels_resolve_or_are_shown_as_their_names(book, site, language):
    loaded = load_book(book)
    for name in loaded.toc.chapters:
        index = loaded.index_for(loaded.shown(language)[name], language)
        page = html.parse(site / language / f"{name}.html")
        article = page.find(".//article")
        text = article.text_content().replace("\N{NO-BREAK SPACE}", " ")
        assert not DIALECT.search(text)
        links = {
            link.get("href").partition("#")[2]: link.text_content().replace("\N{NO-BREAK SPACE}", " ")
            for link in article.findall(".//a")
        }
        for element in loaded.shown(language)[name].elements:
            for label in re.findall(r":(?:numref|eqref):`([^`]+)`", element.block.source):
                if label in index.targets:
                    words = index.words(index.targets[label], "numref")
                    assert links[label.replace("_", "-").lower()].lower() == words.lower()
                else:
                    assert label in [code.text_content() for code in article.iter("code")]
