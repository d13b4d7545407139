"""The settings of Sphinx."""

from __future__ import annotations

import json

import pytest

from polybook.languages import LANGUAGES
from polybook.site.settings import Site, sphinx_settings


def settings(config=None, tag="pt", **options):
    site = Site("A. Uthor", ("pytorch", "jax"), [LANGUAGES["en"], LANGUAGES["pt"]], config or {}, **options)
    return sphinx_settings(site, LANGUAGES[tag], "Livro")


def test_the_settings_of_a_language():
    found = settings(pages={"pt": {"b", "a"}})
    assert found["language"] == "pt_BR"
    assert found["html_title"] == "Livro"
    assert found["nb_execution_mode"] == "off"
    assert found["numfig"] is False
    assert found["polybook_languages"] == [["en", "English"], ["pt", "Português"]]
    assert found["polybook_pages"] == {"pt": ["a", "b"]}
    assert found["extensions"][-1] == "polybook.site.extension"
    assert json.loads(json.dumps(found)) == found


def test_the_books_own_settings_are_kept():
    config = {
        "title": "Book",
        "copyright": "2024",
        "repository": {"url": "https://example.org/book"},
        "html": {"use_repository_button": True, "baseurl": "https://example.org/book"},
        "parse": {"myst_enable_extensions": ["linkify", "replacements"]},
        "sphinx": {
            "extra_extensions": ["sphinx.ext.todo"],
            "config": {"todo_include_todos": True, "html_theme_options": {"show_toc_level": 3}},
        },
    }
    found = settings(config)
    assert found["html_theme_options"]["repository_url"] == "https://example.org/book"
    assert found["html_theme_options"]["use_repository_button"] is True
    assert found["html_theme_options"]["show_toc_level"] == 3
    assert found["html_theme_options"]["navbar_persistent"] == []
    assert found["html_baseurl"] == "https://example.org/book/pt/"
    assert found["html_show_copyright"] is True
    assert found["todo_include_todos"] is True
    assert "sphinx.ext.todo" in found["extensions"]
    assert "replacements" in found["myst_enable_extensions"]
    assert "linkify" not in found["myst_enable_extensions"]


@pytest.mark.parametrize(
    "config",
    [
        {"execute": {"execute_notebooks": "force"}},
        {"launch_buttons": {"thebe": True, "colab_url": "https://colab.research.google.com"}},
        {"bibtex_bibfiles": ["references.bib"]},
        {"sphinx": {"config": {"mathjax_path": "https://cdn.example.org/mathjax.js", "language": "de"}}},
        {"html": {"use_multitoc_numbering": True}},
    ],
)
def test_what_a_site_needs_cannot_be_configured_away(config):
    assert {**settings(config), "html_theme_options": None} == {**settings(), "html_theme_options": None}
    assert settings(config)["html_theme_options"]["launch_buttons"] == {}


def test_the_configuration_is_not_changed():
    config = {"sphinx": {"config": {"html_theme_options": {"a": 1}}, "extra_extensions": ["b"]}}
    before = json.dumps(config)
    settings(config)["html_theme_options"]["a"] = 2
    assert json.dumps(config) == before
