"""Bibliographies: reading BibTeX, naming a work in a sentence, listing the works cited."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pybtex.database import Entry, Person, parse_string
from pybtex.exceptions import PybtexError
from pybtex.plugin import find_plugin
from pybtex.richtext import Text

from .diagnostics import Code, Diagnostic
from .languages import Language


@dataclass(frozen=True, slots=True)
class Bibliography:
    """The works that a book can cite."""

    #: BibTeX entries by their keys.
    entries: Mapping[str, Entry]

    def name(self, key: str, language: Language) -> tuple[str, str]:
        """Return the authors and the year of a work, as a sentence names them.

        Raises:
            KeyError: There is no such work.
        """
        entry = self.entries[key]
        people: Sequence[Person] = entry.persons.get("author") or entry.persons.get("editor") or []
        names = [_last_name(person) for person in people]
        year = str(entry.fields.get("year", ""))
        match names:
            case []:
                return str(entry.fields.get("title", key)), year
            case [only]:
                return only, year
            case [first, second]:
                return f"{first} {language.conjunction} {second}", year
        return f"{names[0]} et al.", year

    def listing(self, keys: Iterable[str]) -> list[tuple[str, str]]:
        """Return (key, Markdown) for each work, sorted by author, year and title."""
        style = find_plugin("pybtex.style.formatting", "unsrt")(sorting_style="author_year_title")
        backend = find_plugin("pybtex.backends", "markdown")()
        entries = [self.entries[key] for key in sorted(set(keys)) if key in self.entries]
        return [
            (formatted.key, formatted.text.render(backend).strip())
            for formatted in style.format_entries(entries)
        ]


def _last_name(person: Person) -> str:
    parts = [*person.prelast_names, *person.last_names]
    return str(Text.from_latex(" ".join(parts)))


def read_bibliography(files: Mapping[str, str]) -> tuple[Bibliography, list[Diagnostic]]:
    """Return the works in BibTeX files, and a diagnostic for each file that cannot be read.

    Args:
        files: The files' texts by their paths.
    """
    entries: dict[str, Entry] = {}
    diagnostics: list[Diagnostic] = []
    for path, text in files.items():
        try:
            entries.update(parse_string(text, "bibtex").entries)
        except PybtexError as error:
            what = f"The bibliography cannot be read: {' '.join(str(error).split())}."
            diagnostics.append(Diagnostic(path, 0, Code.BAD_BIBLIOGRAPHY, what, "Mend the entry."))
    return Bibliography(entries), diagnostics
