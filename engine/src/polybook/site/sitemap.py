"""The list of all pages, for search engines."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from html import escape

_START = """\
<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:xhtml="http://www.w3.org/1999/xhtml">"""


def sitemap(site_url: str, pages: Mapping[str, Collection[str]]) -> str:
    """Return the text of `sitemap.xml`: each page with itself in every language.

    Args:
        site_url: Where the site is published, without a slash at the end.
        pages: The names of the pages of each language, by its tag.
    """
    lines = [_START, f"<url><loc>{escape(site_url)}/</loc></url>"]
    for language, names in pages.items():
        for name in names:
            addresses = {tag: escape(f"{site_url}/{tag}/{name}.html") for tag in pages if name in pages[tag]}
            addresses_of_all = {**addresses, "x-default": next(iter(addresses.values()))}
            links = [
                f'<xhtml:link rel="alternate" hreflang="{tag}" href="{address}"/>'
                for tag, address in addresses_of_all.items()
            ]
            lines.append(f"<url><loc>{addresses[language]}</loc>{''.join(links)}</url>")
    return "\n".join([*lines, "</urlset>", ""])
