"""The links to all pages beside the text: made by the theme once, then marked for each page.

The theme would make them anew for every page, which takes a third of the time of a large build.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.environment.adapters.toctree import TocTree

_LINK = re.compile(r'<li class="([^"]*)">\s*<a class="(reference (?:internal|external))" href="([^"]*)">')
_CLOSED, _OPEN = "<details>", '<details open="open">'
_INTERNAL = "reference internal"


@dataclass(frozen=True, slots=True)
class Entry:
    """A link of the navigation, and the text from there to the next one."""

    #: Classes of its list item.
    classes: str
    #: Class of the link itself: whether it leads out of the site.
    kind: str
    #: The address, seen from the folder of the site if the link stays in it.
    address: str
    #: What follows the link's start tag.
    rest: str

    def html(self, folder: str) -> str:
        """Return the entry for pages in a folder that it does not lead to."""
        address = self.address
        if self.kind == _INTERNAL:
            address = posixpath.relpath(address, folder or ".")
        return f'<li class="{self.classes}"><a class="{self.kind}" href="{address}">{self.rest}'

    def active_html(self, page: str) -> str:
        """Return the entry for a page that it leads to, or that is below where it leads to."""
        address = "#"
        if self.address != page:
            address = posixpath.relpath(self.address, posixpath.dirname(page) or ".")
        classes, kind = f"{self.classes} current active", f"current {self.kind}"
        rest = self.rest.replace(_CLOSED, _OPEN, 1)
        return f'<li class="{classes}"><a class="{kind}" href="{address}">{rest}'


class Navigation:
    """The links to all pages of a site.

    Args:
        start: What comes before the first link.
        entries: The links in their order.
    """

    def __init__(self, start: str, entries: Sequence[Entry]) -> None:
        self._start = start
        self._entries = entries
        self._places: dict[str, list[int]] = {}
        for place, entry in enumerate(entries):
            if entry.kind == _INTERNAL:
                self._places.setdefault(entry.address, []).append(place)
        #: The entries as they are on most of the pages in a folder.
        self._inactive: dict[str, list[str]] = {}

    def html(self, page: str, active: Collection[str]) -> str:
        """Return the links for a page, given the addresses of that page and of all that it is below."""
        folder = posixpath.dirname(page)
        if folder not in self._inactive:
            self._inactive[folder] = [entry.html(folder) for entry in self._entries]
        parts = list(self._inactive[folder])
        for place in (place for address in active for place in self._places.get(address, ())):
            parts[place] = self._entries[place].active_html(page)
        return self._start + "".join(parts)


def read_navigation(html: str, root: str) -> Navigation:
    """Return the navigation that the theme has made for the page at the address `root`."""
    start, *parts = _LINK.split(html)
    links = zip(parts[::4], parts[1::4], parts[2::4], parts[3::4], strict=True)
    folder = posixpath.dirname(root)
    return Navigation(
        start,
        [
            Entry(
                classes,
                kind,
                posixpath.normpath(posixpath.join(folder, address)) if kind == _INTERNAL else address,
                rest,
            )
            for classes, kind, address, rest in links
        ],
    )


def rewrite_with_contents(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Handle `env-updated`: the contents stand on every page, and Sphinx writes only those that changed."""
    titles = [(name, env.titles[name].astext()) for name in sorted(env.titles)]
    parts = [
        (name, part["entries"], part.get("caption"))
        for name in sorted(env.tocs)
        for part in env.tocs[name].findall(addnodes.toctree)
    ]
    contents = repr([titles, parts])
    was = getattr(env, "polybook_contents", contents)
    env.polybook_contents = contents  # type: ignore[attr-defined]
    return [] if contents == was else sorted(env.found_docs)


class NavigationOnce:
    """Gives templates the navigation, which it has made once; one for each build."""

    def __init__(self) -> None:
        self._made: dict[tuple[tuple[str, Any], ...], Navigation] = {}

    def __call__(
        self,
        app: Sphinx,
        pagename: str,
        templatename: str,
        context: dict[str, Any],
        doctree: nodes.document | None,
    ) -> None:
        """Handle `html-page-context`: `polybook_navigation` takes the options of the theme's function."""

        @cache  # the theme asks twice, the first time to see whether there is anything to show
        def navigation(**options: Any) -> str:
            if options["collapse"]:  # each page has other links
                return str(context["generate_toctree_html"](**options))
            key = tuple(sorted(options.items()))
            if key not in self._made:
                self._made[key] = _made_for_root(app, context, options)
            uri = app.builder.get_target_uri
            above = TocTree(app.env).get_toctree_ancestors(pagename)
            return self._made[key].html(uri(pagename), {uri(name) for name in (pagename, *above)})

        context["polybook_navigation"] = navigation


def _made_for_root(app: Sphinx, context: dict[str, Any], options: dict[str, Any]) -> Navigation:
    """Return what the theme makes for the root page, which has no link to itself."""
    root: str = app.config.root_doc
    own = context["toctree"]
    context["toctree"] = lambda **inner: app.builder._get_local_toctree(root, **inner)  # type: ignore[attr-defined]
    try:
        html = str(context["generate_toctree_html"](**options))
    finally:
        context["toctree"] = own
    return read_navigation(html, app.builder.get_target_uri(root))
