"""`_config.yml` and `_toc.yml` as values, and what is said of wrong ones."""

from __future__ import annotations

import textwrap

import pytest

from polybook.config import TocEntry, read_config, read_toc
from polybook.errors import ConfigError

FULL = """\
title: Numbers
author: A. B.
copyright: "2026"
bibtex_bibfiles: [a.bib, b.bib]
polybook:
  source: fr
  languages:
    en: .
    fr: {folder: chapters/fr/, title: Nombres, author: Les auteurs}
    zh:
      folder: zh
      title: 数
      framework: mxnet
      captions: {Tools: 工具, 1: 一}
    pt: {}
  frameworks: [pytorch, mxnet, pytorch]
  library:
    module: d2l
    aliases:
      pytorch: {matmul: torch.matmul}
      jax: {matmul: jnp.matmul}
  trains: [fit, train_ch8]
"""
LEAST = "polybook: {languages: {en: .}, frameworks: [jax]}"


def test_every_key():
    config = read_config(FULL)
    assert (config.title, config.author, config.source) == ("Numbers", "A. B.", "fr")
    assert config.source_language is config.languages["fr"]
    assert config.frameworks == ("pytorch", "mxnet")
    assert config.library == "d2l"
    assert config.trains == ("fit", "train_ch8")
    assert config.aliases == {"pytorch": {"matmul": "torch.matmul"}, "jax": {"matmul": "jnp.matmul"}}
    assert config.bibliographies == ("a.bib", "b.bib")


def test_each_language_has_its_folder_title_default_framework_and_captions():
    languages = read_config(FULL).languages
    assert list(languages) == ["en", "fr", "zh", "pt"]
    assert {tag: one.folder for tag, one in languages.items()} == {
        "en": ".",
        "fr": "chapters/fr",
        "zh": "zh",
        "pt": "pt",
    }
    assert [one.title for one in languages.values()] == ["Numbers", "Nombres", "数", "Numbers"]
    assert [one.default_framework for one in languages.values()] == ["pytorch", "pytorch", "mxnet", "pytorch"]
    assert [one.captions for one in languages.values()] == [{}, {}, {"Tools": "工具", "1": "一"}, {}]
    assert [one.author for one in languages.values()] == ["", "Les auteurs", "", ""]
    assert languages["zh"].language.name == "中文"


HOSTED = """\
html:
  baseurl: https://example.org/book/
polybook:
  languages: {en: .}
  frameworks: [jax]
"""


def test_hosted_notebooks_lie_where_the_site_does_unless_told_otherwise():
    hosting = read_config(f"{HOSTED}  notebooks: {{repository: a/b}}\n").hosting
    assert hosting.place("x.ipynb") == "a/b/blob/gh-pages/notebooks/x.ipynb"
    assert [service.name for service in hosting.services] == ["colab", "kaggle", "sagemaker"]
    options = "{repository: a/b, branch: main, folder: /, services: [kaggle]}"
    hosting = read_config(f"{HOSTED}  notebooks: {options}\n").hosting
    assert hosting.place("x.ipynb") == "a/b/blob/main/x.ipynb"
    assert [service.name for service in hosting.services] == ["kaggle"]


def test_a_book_says_where_its_site_is_or_not():
    assert read_config(HOSTED).site_url == "https://example.org/book"
    assert read_config(HOSTED).hosting is None
    assert read_config(LEAST).site_url == ""


def test_what_may_be_left_out():
    config = read_config(LEAST)
    assert (config.title, config.author, config.source) == ("Book", "", "en")
    assert (config.library, config.aliases, config.trains, config.bibliographies) == (None, {}, (), ())
    assert config.languages["en"].title == "Book"


def test_the_rest_is_for_jupyter_book():
    assert set(read_config(FULL).raw) == {"title", "author", "copyright", "bibtex_bibfiles"}


def test_only_the_key_polybook_is_checked():
    assert read_config(f"{LEAST}\nanything: {{at: all}}").raw == {"anything": {"at": "all"}}


def test_a_merged_key_is_there_once_and_an_anchor_may_be_in_itself():
    text = "a: &a {b: 1, loop: [*a]}\nc: {<<: *a, b: 2}"
    assert read_config(f"{LEAST}\n{text}").raw["c"]["b"] == 2


def error_of(read, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read(textwrap.dedent(text))
    (diagnostic,) = caught.value.diagnostics
    assert "\n" not in str(diagnostic)
    return str(diagnostic)


#: What is wrong, the text, and the line that says so.
WRONG_CONFIGS = {
    "empty": ("", "1: B005 `_config.yml` must be a mapping of keys to values. Add its keys."),
    "a list": ("- a", "1: B005 `_config.yml` must be a mapping of keys to values. Add its keys."),
    "no polybook": (
        "title: A\n",
        "1: B005 `polybook` must be a mapping of keys to values. "
        "Its keys: source, languages, frameworks, library, chapters, trains, terms, cover, "
        "discussions, notebooks.",
    ),
    "unclosed bracket": (
        "title: A\npolybook: [a\n",
        "3: B005 This is not YAML: expected ',' or ']', but got '<stream end>'. Mend the line.",
    ),
    "tab": (
        "polybook:\n\tsource: en\n",
        "2: B005 This is not YAML: found character '\\t' that cannot start any token. Mend the line.",
    ),
    "control character": (
        "a: \x01",
        "1: B005 This is not YAML: unacceptable character #x0001: special characters are not allowed "
        'in "<unicode string>", position 3. Mend the line.',
    ),
    "impossible date": ("a: 2026-13-01", "1: B005 This is not YAML: month must be in 1..12. Mend the line."),
    "key that is there twice": (
        "a: [{b: 1, b: 2}]\n",
        "1: B005 `b` is there already, in line 1. Take one of them out.",
    ),
    "unknown key": (
        "polybook:\n  languages: {en: .}\n  frameworks: [jax]\n  frameworkz: [jax]\n",
        "4: B005 `polybook` has no key `frameworkz`. "
        "Known keys: source, languages, frameworks, library, chapters, trains, terms, cover, discussions, "
        "notebooks.",
    ),
    "unknown key of a language": (
        "polybook:\n  frameworks: [jax]\n  languages:\n    en:\n      folder: .\n      name: English\n",
        "6: B005 `en` has no key `name`. Known keys: folder, title, author, framework, captions.",
    ),
    "unknown key of the library": (
        "polybook:\n  frameworks: [jax]\n  languages: {en: .}\n  library:\n    path: d2l\n",
        "5: B005 `library` has no key `path`. Known keys: module, aliases.",
    ),
    "unknown framework of aliases": (
        "polybook:\n  frameworks: [jax]\n  languages: {en: .}\n  library:\n    aliases:\n      torch: {}\n",
        "6: B005 `aliases` has no key `torch`. Known keys: pytorch, tensorflow, mxnet, jax.",
    ),
    "unknown framework": (
        "polybook:\n  languages: {en: .}\n  frameworks: [pytorch, torch]\n",
        "3: B005 There is no framework `torch` here. Known: pytorch, tensorflow, mxnet, jax.",
    ),
    "unknown language": (
        "polybook:\n  frameworks: [jax]\n  languages:\n    en: .\n    de: de\n",
        "5: B005 There is no language `de` here. Known: en, pt, zh, fr.",
    ),
    "a language that YAML reads as false": (
        "polybook:\n  frameworks: [jax]\n  languages: {no: .}\n",
        "3: B005 There is no language `False` here. Known: en, pt, zh, fr.",
    ),
    "unknown source": (
        "polybook:\n  frameworks: [jax]\n  languages: {en: .}\n  source: fr\n",
        "4: B005 There is no language `fr` here. Known: en.",
    ),
    "default framework that the book has not": (
        "polybook:\n  frameworks: [jax]\n  languages:\n    en:\n      framework: mxnet\n",
        "5: B005 There is no framework `mxnet` here. Known: jax.",
    ),
    "no frameworks": (
        "title: A\npolybook:\n  languages: {en: .}\n",
        "2: B005 There are no frameworks. Write for example `frameworks: [pytorch]` under `polybook:`.",
    ),
    "frameworks no list": (
        "polybook:\n  frameworks: jax\n",
        "2: B005 `frameworks` must be a list of names. Write `[a, b]`.",
    ),
    "no languages": (
        "polybook:\n  frameworks: [jax]\n",
        "1: B005 There are no languages. Write for example `languages: {en: .}` under `polybook:`.",
    ),
    "languages a list": (
        "polybook:\n  frameworks: [jax]\n  languages: [en]\n",
        "3: B005 `languages` must be a mapping of keys to values. Add its keys.",
    ),
    "language without anything": (
        "polybook:\n  frameworks: [jax]\n  languages:\n    en:\n",
        "4: B005 `en` must be a mapping of keys to values. "
        "Its keys: folder, title, author, framework, captions.",
    ),
    "captions no mapping": (
        "polybook:\n  frameworks: [jax]\n  languages:\n    en: {captions: [a]}\n",
        "4: B005 `captions` must be a mapping of keys to values. Add its keys.",
    ),
    "module no name": (
        "polybook:\n  frameworks: [jax]\n  languages: {en: .}\n  library: {module: ../d2l}\n",
        "4: B005 `../d2l` cannot be the name of a package. Write for example `d2l`.",
    ),
    "no repository": (
        f"{HOSTED}  notebooks: {{branch: main}}\n",
        "6: B005 `` is no repository on GitHub. Write for example `repository: owner/name`.",
    ),
    "repository with an address": (
        f"{HOSTED}  notebooks:\n    repository: https://github.com/a/b\n",
        "7: B005 `https://github.com/a/b` is no repository on GitHub. "
        "Write for example `repository: owner/name`.",
    ),
    "unknown service": (
        f"{HOSTED}  notebooks:\n    repository: a/b\n    services: [binder]\n",
        "8: B005 There is no service `binder` here. Known: colab, kaggle, sagemaker.",
    ),
    "hosted notebooks without a site": (
        "polybook:\n  languages: {en: .}\n  frameworks: [jax]\n  notebooks: {repository: a/b}\n",
        "4: B005 Hosted notebooks take the library and pictures from the site, and nothing says where it is. "
        "Write for example `html: {baseurl: https://example.org/book}`.",
    ),
    "address of nothing": (
        "html:\n  baseurl: example.org\npolybook: {languages: {en: .}, frameworks: [jax]}\n",
        "2: B005 `example.org` is no address of a site. Write for example `baseurl: https://example.org/book`.",
    ),
    "bibliographies no list": (
        f"{LEAST}\nbibtex_bibfiles: a.bib\n",
        "2: B005 `bibtex_bibfiles` must be a list of names. Write `[a, b]`.",
    ),
}


@pytest.mark.parametrize(("text", "message"), WRONG_CONFIGS.values(), ids=WRONG_CONFIGS)
def test_a_wrong_configuration_is_named_with_its_line(text, message):
    assert error_of(read_config, text) == f"_config.yml:{message}"


def toc(text: str) -> list[tuple[str, tuple[int, ...]]]:
    return [(entry.chapter, entry.number) for entry in read_toc(textwrap.dedent(text)).entries]


def test_parts_are_numbered_on_and_what_is_below_a_chapter_after_it():
    text = """\
        format: jb-book
        root: index
        parts:
          - caption: One
            numbered: true
            chapters:
              - file: a
                sections:
                  - file: a/b
                    sections:
                      - file: a/b/c
                  - file: a/d
          - caption: Two
            numbered: true
            chapters:
              - file: e
              - url: https://example.org
          - chapters:
              - file: f
    """
    assert toc(text) == [
        ("index", ()),
        ("a", (1,)),
        ("a/b", (1, 1)),
        ("a/b/c", (1, 1, 1)),
        ("a/d", (1, 2)),
        ("e", (2,)),
        ("f", ()),
    ]


def test_all_formats_of_a_table_of_contents():
    book = "format: jb-book\nroot: index\noptions: {numbered: true}\nchapters: [{file: a}, {file: b.md}]"
    article = (
        "format: jb-article\nroot: index\noptions: {numbered: true}\nsections: [{file: a}, {file: b.ipynb}]"
    )
    plain = "root: index\nsubtrees: [{numbered: true, entries: [{file: a}, {file: b}]}]"
    expected = [("index", ()), ("a", (1,)), ("b", (2,))]
    assert [toc(book), toc(article), toc(plain)] == [expected] * 3


def test_a_chapter_alone_is_a_book():
    found = read_toc("format: jb-book\nroot: index.md")
    assert (found.entries, found.root, found.chapters) == ((TocEntry("index", ()),), "index", ("index",))


WRONG_TOCS = {
    "empty": ("", ": B003 The book has no chapters. Name them in `_toc.yml`."),
    "a list": ("- file: a", ":1: B006 `_toc.yml` must be a mapping of keys to values. Add its keys."),
    "bad YAML": (
        "format: jb-book\nroot: index\n chapters:\n",
        ":3: B006 This is not YAML: mapping values are not allowed here. Mend the line.",
    ),
    "no root": (
        "format: jb-book\nchapters: [{file: a}]\n",
        ":1: B006 This is no table of contents: 'root' key not found @ '/'. "
        "See Jupyter Book's documentation of `_toc.yml`.",
    ),
    "unknown format": (
        "format: book\nroot: a",
        ":1: B006 This is no table of contents: 'format' key value not recognised: 'book'. "
        "See Jupyter Book's documentation of `_toc.yml`.",
    ),
    "unknown key": (
        "format: jb-article\nroot: index\nchapter: [{file: a}]\n",
        ":1: B006 This is no table of contents: Unknown keys found: {'chapter'}, allowed: "
        "{'defaults', 'format', 'meta', 'options', 'root', 'sections', 'subtrees', 'title'} @ '/'. "
        "See Jupyter Book's documentation of `_toc.yml`.",
    ),
    "chapter twice": (
        "format: jb-book\nroot: index\nchapters:\n  - file: a\n  - file: b\n  - file: a.md\n",
        ":6: B006 The chapter `a` is named twice. Take one of them out.",
    ),
    "pattern": (
        "format: jb-book\nroot: index\nchapters:\n  - glob: a/*\n",
        ":4: B006 A pattern such as `a/*` gives chapters no order. Name each chapter with `file:`.",
    ),
    "outside": (
        "format: jb-book\nroot: index\nchapters:\n  - file: ../a\n",
        ":4: B006 `../a` cannot be a chapter. Write its path inside a language's folder, such as `rnn/gru`.",
    ),
    "absolute": (
        "format: jb-book\nroot: /index\n",
        ":2: B006 `/index` cannot be a chapter. "
        "Write its path inside a language's folder, such as `rnn/gru`.",
    ),
    "no name": (
        "format: jb-book\nroot: ''\n",
        ":2: B006 `` cannot be a chapter. Write its path inside a language's folder, such as `rnn/gru`.",
    ),
}


@pytest.mark.parametrize(("text", "message"), WRONG_TOCS.values(), ids=WRONG_TOCS)
def test_a_wrong_table_of_contents_is_named_with_its_line(text, message):
    assert error_of(read_toc, text) == f"_toc.yml{message}"


#: Values of the wrong type in every place; what is said of them comes from sphinx-external-toc.
STRANGE_TOCS = [
    "root: 3",
    "root: [a]",
    "root: null",
    "format: [jb-book]\nroot: a",
    "format: jb-book\nroot: a\nchapters: 3",
    "format: jb-book\nroot: a\nchapters: [3]",
    "format: jb-book\nroot: a\nchapters: [{file: [1]}]",
    "format: jb-book\nroot: a\nchapters: [{file: null}]",
    "format: jb-book\nroot: a\nparts: [3]",
    "format: jb-book\nroot: a\nparts: [{chapters: null}]",
    "format: jb-book\nroot: a\ndefaults: 3",
    "format: jb-book\nroot: a\noptions: {numbered: x}\nchapters: [{file: b}]",
    "[" * 1200,
]


@pytest.mark.parametrize("text", STRANGE_TOCS, ids=lambda text: text[:40])
def test_no_table_of_contents_raises_anything_else(text):
    assert error_of(read_toc, text).startswith("_toc.yml:1: B006 ")
