"""The settings of Sphinx for one language of a book.

Three layers: what polybook proposes, the book's own `_config.yml` above it, and above both what a
polybook site needs in order to be right (no execution, no numbering by Sphinx, nothing remote).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from jupyter_book.config import get_default_sphinx_config, yaml_to_sphinx

from ..languages import Language
from . import MATHJAX

#: Parts of `_config.yml` that polybook does the work of itself or that load remote scripts.
_OWN_KEYS = frozenset({"polybook", "bibtex_bibfiles", "bibtex_reference_style", "execute", "launch_buttons"})
#: Adds buttons that run code on remote servers.
_LEFT_OUT = "sphinx_thebe"
_EXTENSION = "polybook.site.extension"

_MYST_EXTENSIONS = (
    "amsmath",
    "attrs_inline",
    "colon_fence",
    "deflist",
    "dollarmath",
    "html_image",
    "tasklist",
)
#: Makes links of what only looks like an address, such as `d2l.torch`.
_LINKIFY = "linkify"

_PROPOSED: Mapping[str, Any] = {
    "html_context": {"default_mode": "auto"},
    "html_copy_source": False,
    "html_show_sourcelink": False,
    "html_sidebars": {
        "**": ["book-title.html", "icon-links.html", "search-button-field.html", "sbt-sidebar-nav.html"]
    },
    "html_show_copyright": False,
    "html_use_index": False,
    "html_theme_options": {
        "home_page_in_toc": True,
        "navbar_persistent": [],
        "article_footer_items": ["discussion.html"],
        "article_header_end": ["notebooks.html", "language-switcher.html", "article-header-buttons.html"],
        "repository_url": "",
        "use_repository_button": False,
        "use_download_button": False,
        "use_fullscreen_button": False,
    },
}
_NEEDED: Mapping[str, Any] = {
    "external_toc_path": "_toc.yml",
    "external_toc_exclude_missing": True,
    "mathjax_path": f"../../{MATHJAX}",
    "nb_custom_formats": {".ipynb": ["nbformat.v4.reads", {}, False]},  # pages are not those of strangers
    "nb_execution_mode": "off",
    "nb_merge_streams": True,
    "numfig": False,
    "suppress_warnings": ["misc.highlighting_failure", "myst.domains"],  # `check` tells of broken code
    "use_jupyterbook_latex": False,
    "use_multitoc_numbering": False,
    "html_theme_options": {"launch_buttons": {}},
}


@dataclass(frozen=True, slots=True)
class Site:
    """What the languages of a site have in common."""

    #: Who wrote the book.
    author: str
    #: Framework names in the order of the tabs.
    frameworks: Sequence[str]
    #: Every language, the source language first.
    languages: Sequence[Language]
    #: The book's `_config.yml`.
    config: Mapping[str, Any]
    #: Names of the pages each language has, by tag; a tag left out has all.
    pages: Mapping[str, Collection[str]] = field(default_factory=dict)
    #: Where a page is discussed: an address with `{language}` and `{page}`; empty where nowhere is.
    discussions: str = ""


def sphinx_settings(
    site: Site, language: Language, title: str, glossary: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return the settings with which Sphinx builds one language of a book.

    Args:
        site: The book in all its languages.
        language: The language to build.
        title: The book's title in this language.
        glossary: The source language's term behind each form of it in this language.

    Returns:
        `confoverrides` for `jupyter_book.sphinx.build_sphinx`: plain values, fit for JSON.
    """
    translated, overrides, _ = yaml_to_sphinx(_book_keys(site.config))
    given = _merged(translated, overrides)
    needed = {
        "language": language.catalogue,
        "project": title,
        "html_title": title,
        "html_short_title": title,
        "author": site.author,
        "extensions": _extensions(given.get("extensions", [])),
        "myst_enable_extensions": _myst_extensions(given.get("myst_enable_extensions", [])),
        "polybook_discussions": site.discussions,
        "polybook_frameworks": list(site.frameworks),
        "polybook_glossary": dict(glossary or {}),
        "polybook_language": language.tag,
        "polybook_languages": [[each.tag, each.name] for each in site.languages],
        "polybook_pages": {tag: sorted(names) for tag, names in site.pages.items()},
    }
    settings = _merged(_merged(_PROPOSED, given), _merged(_NEEDED, needed))
    if base := settings.get("html_baseurl"):
        settings["html_baseurl"] = f"{base.rstrip('/')}/{language.tag}/"
    if "copyright" in given:
        settings["html_show_copyright"] = True
    settings.pop("latex_doc_overrides", None)
    return settings


def _book_keys(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of `_config.yml` that Jupyter Book reads; it changes what it is given."""
    return deepcopy({key: value for key, value in config.items() if key not in _OWN_KEYS})


def _extensions(given: Sequence[str]) -> list[str]:
    """Return the extensions: Jupyter Book's, the book's own, polybook's last."""
    defaults: list[str] = get_default_sphinx_config()["extensions"]  # type: ignore[no-untyped-call]
    names = dict.fromkeys([*defaults, *given])
    return [name for name in names if name not in (_LEFT_OUT, _EXTENSION)] + [_EXTENSION]


def _myst_extensions(given: Sequence[str]) -> list[str]:
    return sorted({*_MYST_EXTENSIONS, *given} - {_LINKIFY})


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return both mappings as one, mappings inside them merged too; `above` wins."""
    merged = deepcopy(dict(below))
    for key, value in above.items():
        inner = merged.get(key)
        if isinstance(inner, dict) and isinstance(value, Mapping):
            merged[key] = _merged(inner, value)
        else:
            merged[key] = deepcopy(value)
    return merged
