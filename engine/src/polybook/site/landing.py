"""The site's root page, which leads readers to their language."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from ..languages import Language


def landing_page(languages: Sequence[tuple[Language, str]], home: str = "index.html", cover: str = "") -> str:
    """Return the root page's HTML.

    It goes on to the language that the reader chose before or that the browser asks for. Without
    JavaScript, or where no language fits, it is a list of links; `#choose` in the address shows it too.

    Args:
        languages: Each language with the book's title in it, the source language first.
        home: The book's first page, relative to the folder of a language.
        cover: The address of a picture, if the book has one.
    """
    environment = Environment(
        loader=PackageLoader("polybook.site"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("landing.html").render(
        languages=languages, home=home, cover=cover, style=_asset("landing.css"), script=_asset("landing.js")
    )


def _asset(name: str) -> Markup:
    """Return a file of the package, which is part of the page as it is."""
    return Markup((files(__package__) / "static" / name).read_text(encoding="utf-8"))  # noqa: S704
