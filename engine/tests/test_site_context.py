"""Links between the languages of a page, and the site's words."""

from __future__ import annotations

from importlib.resources import files
from xml.etree import ElementTree

import pytest
from babel.messages.pofile import read_po

from polybook.languages import LANGUAGES
from polybook.site.context import NotebookLink, alternates, language_links, notebook_links
from polybook.site.landing import landing_page
from polybook.site.search import cut, fold
from polybook.site.sitemap import sitemap
from polybook.site.words import read_words

BOTH = [("en", "English"), ("fr", "Français")]


def urls(page, pages=None):
    return [link.url for link in language_links(page, "en", BOTH, pages or {})]


def test_links_go_up_to_the_folder_of_the_languages():
    assert urls("index") == ["../en/index.html", "../fr/index.html"]
    assert urls("a/b/c") == ["../../../en/a/b/c.html", "../../../fr/a/b/c.html"]


def test_a_language_without_the_page_has_no_link():
    assert urls("a", {"fr": ["b"]}) == ["../en/a.html"]
    assert urls("search", {"fr": ["b"]}) == ["../en/search.html", "../fr/search.html"]


def test_alternates_are_absolute_where_the_address_is_known():
    links = language_links("a/b", "en", BOTH, {})
    assert 'hreflang="fr" href="https://example.org/fr/a/b.html"' in alternates(
        "a/b", links, "https://example.org/en/"
    )
    assert 'hreflang="fr" href="../../fr/a/b.html"' in alternates("a/b", links, "")


def test_notebooks_of_the_site_are_linked_from_the_page_and_others_by_their_addresses():
    colab = "https://colab.research.google.com/github/a/b/blob/main/x.ipynb"
    own, opened = notebook_links("a/b", [("jupyter", "jax", "notebooks/x.ipynb"), ("colab", "jax", colab)])
    assert own == NotebookLink("Download this notebook", "jax", "JAX", "../../notebooks/x.ipynb", True)
    assert opened == NotebookLink("Open in Colab", "jax", "JAX", colab, False)


def test_a_page_in_one_language_has_no_alternates():
    assert alternates("a", language_links("a", "en", BOTH[:1], {}), "") == ""


@pytest.mark.parametrize("language", [each.catalogue for each in LANGUAGES.values() if each.tag != "en"])
def test_every_language_has_polybooks_own_words(language):
    words = read_words(language)
    for text in (
        "Picture made by the code above.",
        "The results on this page come from an earlier version of the code.",
        "The code on this page has not been run yet.",
        "This code has not been run yet.",
        "Copy",
        "Language",
        "Download this notebook",
        "Download all notebooks",
        "Open in {}",
        "Search this book...",
    ):
        assert words.gettext(text) not in ("", text)


def test_catalogues_are_whole():
    for path in (files("polybook.site") / "locale").iterdir():
        with path.open("rb") as stream:
            for message in read_po(stream):
                assert message.string, (path.name, message.id)


def test_a_language_without_a_catalogue_keeps_the_text():
    assert read_words("xx").gettext("Language") == "Language"


def test_the_root_page_has_the_cover():
    languages = [(LANGUAGES["en"], "Book")]
    assert '<img src="cover.svg" alt="">' in landing_page(languages, cover="cover.svg")
    assert "<img" not in landing_page(languages)


def test_the_root_page_escapes_titles():
    html = landing_page([(LANGUAGES["en"], "Loss < 1 & <b>more</b>")], home="start.html")
    assert "Loss &lt; 1 &amp; &lt;b&gt;more" in html
    assert 'href="en/start.html"' in html


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("循环神经", ["循", "环", "神", "经", "循环", "环神", "神经"]),
        ("图 7.1 是RNN", ["图", "7", "1", "是", "RNN"]),
        ("call train_ch8(nn.LSTM)", ["call", "train_ch8", "nn", "LSTM"]),
        ("l’échelle", ["l", "échelle"]),
        ("", []),
    ],
)
def test_texts_are_cut_into_the_words_of_the_search(text, words):
    assert cut(text) == words


def test_accents_do_not_matter():
    assert [fold(word) for word in ("échelle", "ação", "门控")] == ["echelle", "acao", "门控"]


def test_the_sitemap_has_each_page_with_its_other_languages():
    text = sitemap("https://example.org/a&b", {"en": ["index", "rnn/gru"], "fr": ["index"]})
    tree = ElementTree.fromstring(text)  # noqa: S314
    links = {url[0].text: [(link.get("hreflang"), link.get("href")) for link in url[1:]] for url in tree}
    base = "https://example.org/a&b"
    own = ("x-default", f"{base}/en/index.html")
    both = [("en", f"{base}/en/index.html"), ("fr", f"{base}/fr/index.html"), own]
    assert links == {
        f"{base}/": [],
        f"{base}/en/index.html": both,
        f"{base}/en/rnn/gru.html": [(tag, f"{base}/en/rnn/gru.html") for tag in ("en", "x-default")],
        f"{base}/fr/index.html": both,
    }
