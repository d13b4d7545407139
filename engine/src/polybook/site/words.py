"""The site's own words and those that the themes leave untranslated, from `locale/*.po`."""

from __future__ import annotations

from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from io import BytesIO

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from sphinx.locale import get_translation, translators

#: polybook's catalogue; `translate` looks up a text when it is needed, not when it is written.
CATALOGUE = "polybook"
translate = get_translation(CATALOGUE)

#: The alternative text of a picture that comes without one.
PICTURE = "Picture made by the code above."

#: The catalogues that `locale/*.po` fills the gaps of: Sphinx with its theme, the book theme, ours.
_FILLED = ("sphinx", "booktheme", CATALOGUE)


def read_words(language: str) -> NullTranslations:
    """Return the translations for a language (`pt_BR`), empty where there are none."""
    place = files(__package__) / "locale" / f"{language}.po"
    if not place.is_file():
        return NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, read_po(BytesIO(place.read_bytes())))
    compiled.seek(0)
    return GNUTranslations(compiled)


def add_words(language: str) -> None:
    """Fill the gaps of Sphinx's catalogues; call it after all other extensions are set up."""
    for catalogue in _FILLED:
        translator = translators.setdefault(("general", catalogue), NullTranslations())
        translator.add_fallback(read_words(language))
