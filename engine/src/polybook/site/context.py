"""What page templates are given: the same page in the other languages, words in the reader's one."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import urljoin

from docutils import nodes
from sphinx.application import Sphinx

from ..frameworks import FRAMEWORKS
from ..services import HOSTED, JUPYTER, PACKED
from .metadata import OWN_WORDS, WRITTEN_IN
from .words import translate

#: Pages that Sphinx makes itself, in every language; the index only for a book that asks for it.
_GENERATED = frozenset({"search", "genindex"})


@dataclass(frozen=True, slots=True)
class LanguageLink:
    """A page in one language."""

    #: BCP 47 tag.
    tag: str
    #: The language's name in itself.
    name: str
    #: The address, relative to the page the link stands on.
    url: str
    #: Whether it is the page the link stands on.
    is_current: bool


def language_links(
    page: str,
    language: str,
    languages: Sequence[tuple[str, str]],
    pages: Mapping[str, Collection[str]],
) -> list[LanguageLink]:
    """Return the links from a page to itself in every language that has it.

    Args:
        page: The page's name, `chapter/section`.
        language: Tag of the language the links are shown in.
        languages: (tag, name) of each language of the book.
        pages: Names of the pages each language has; a language left out has all.
    """
    root = "../" * (page.count("/") + 1)
    return [
        LanguageLink(tag, name, f"{root}{tag}/{page}.html", tag == language)
        for tag, name in languages
        if page in _GENERATED or tag == language or page in pages.get(tag, [page])
    ]


def alternates(page: str, links: Sequence[LanguageLink], base: str) -> str:
    """Return the `<link>` elements that tell search engines of a page's other languages.

    Args:
        page: The page's name.
        links: The page in every language, that of the source language first.
        base: Address of the language's part of the site, or nothing where it is not known.
    """
    if len(links) < 2:
        return ""
    tagged = [(link.tag, link.url) for link in links] + [("x-default", links[0].url)]
    return "".join(
        f'\n  <link rel="alternate" hreflang="{escape(tag)}" href="{escape(_absolute(page, url, base))}">'
        for tag, url in tagged
    )


def _absolute(page: str, url: str, base: str) -> str:
    return urljoin(urljoin(base, f"{page}.html"), url) if base else url


def add_discussion(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Handle `html-page-context`: give the templates of a chapter the place where it is discussed."""
    address, language = app.config.polybook_discussions, app.config.polybook_language
    if address and pagename not in _GENERATED:
        context["polybook_discussion"] = address.replace("{language}", language).replace("{page}", pagename)


def mark_language(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Handle `html-page-context`: say which language a page is in that waits for its translation."""
    own = app.config.polybook_language
    tag = app.env.metadata.get(pagename, {}).get(WRITTEN_IN, own)
    if tag != own:
        readers = f'<div lang="{escape(app.config.language)}" class="{OWN_WORDS} '
        body = context["body"].replace(f'<div class="{OWN_WORDS} ', readers)
        context["body"] = f'<div lang="{escape(tag)}">\n{body}</div>\n'


@dataclass(frozen=True, slots=True)
class NotebookLink:
    """A link that downloads a page's notebook or opens it in a service."""

    #: What it does, in the reader's language.
    label: str
    #: The framework's name in tab marks.
    framework: str
    #: The framework's name for readers.
    title: str
    #: The address, relative to the page the link stands on for what the site has itself.
    url: str
    #: Whether the site has it itself.
    is_download: bool


#: What links to a page's notebook are called, by the service; a `{}` takes the service's name.
_LABELS = {
    JUPYTER.name: "Download this notebook",
    PACKED: "Download all notebooks",
    **dict.fromkeys(HOSTED, "Open in {}"),
}


def notebook_links(page: str, notebooks: Iterable[tuple[str, str, str]]) -> list[NotebookLink]:
    """Return the links to a page's notebooks.

    Args:
        page: The page's name, `chapter/section`.
        notebooks: (service, framework, address) of each; of the site's own, the path on the site.
    """
    root = "../" * (page.count("/") + 1)
    links = []
    for service, framework, address in notebooks:
        is_hosted = service in HOSTED
        label = str(translate(_LABELS[service])).format(HOSTED[service].title if is_hosted else "")
        url = address if is_hosted else f"{root}{address}"
        links.append(NotebookLink(label, framework, FRAMEWORKS[framework].title, url, not is_hosted))
    return links


def add_notebooks(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Handle `html-page-context`: give templates the page's notebooks."""
    context["polybook_notebooks"] = notebook_links(pagename, app.config.polybook_notebooks.get(pagename, ()))


def add_languages(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Handle `html-page-context`: give templates the page's languages."""
    config = app.config
    languages = [(tag, name) for tag, name in config.polybook_languages]
    links = language_links(pagename, config.polybook_language, languages, config.polybook_pages)
    context["polybook_languages"] = links
    context["metatags"] = context.get("metatags", "") + alternates(pagename, links, config.html_baseurl)


def script_words(frameworks: Sequence[str]) -> str:
    """Return the words of `polybook.js` and `tabs.js`, a script.

    It marks the page as one with scripts, too, early enough that no page is drawn with all its tabs open.
    """
    copy_button = {
        "copy": "Copy",
        "copy_to_clipboard": "Copy to clipboard",
        "copy_success": "Copied!",
        "copy_failure": "Failed to copy",
    }
    words = {
        "copyButton": {name: translate(text) for name, text in copy_button.items()},
        "framework": translate("Framework"),
        "frameworks": {name: FRAMEWORKS[name].title for name in frameworks},
        "lacking": translate("This page has nothing for {chosen}; it is shown for {shown}."),
        "gap": translate("There is no code for {chosen} here; this is for {shown}."),
    }
    script = json.dumps(words, default=str)  # a translation that is not looked up yet is no text
    return f'const polybookWords = {script};\ndocument.documentElement.classList.add("scripted");'


def add_search_words(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Handle `html-page-context`: Jupyter Book writes the search field's words in English only."""
    words = context.get("theme_search_bar_text")
    if words:
        context["theme_search_bar_text"] = translate(words)
