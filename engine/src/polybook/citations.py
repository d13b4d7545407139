"""Bibliographies: reading BibTeX, naming a work in a sentence, listing the works cited."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pybtex.database import Entry, Person, parse_string
from pybtex.errors import capture
from pybtex.exceptions import PybtexError
from pybtex.plugin import find_plugin
from pybtex.richtext import Text

from .diagnostics import Code, Diagnostic
from .languages import Language

#: The kind of entry that needs nothing but what it has.
_ANYTHING = "misc"


@dataclass(frozen=True, slots=True)
class Bibliography:
    """The works that a book can cite."""

    #: BibTeX entries by their keys.
    entries: Mapping[str, Entry]
    #: The file that each key stands in.
    files: Mapping[str, str] = field(default_factory=dict)

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
                return _plain(entry.fields.get("title", key)), year
            case [only]:
                return only, year
            case [first, second] if second != "others":
                return f"{first} {language.conjunction} {second}", year
        return f"{names[0]} et al.", year

    def listing(self, keys: Iterable[str]) -> list[tuple[str, str]]:
        """Return (key, Markdown) for each work, sorted by author, year and title."""
        style = find_plugin("pybtex.style.formatting", "unsrt")(sorting_style="author_year_title")
        backend = find_plugin("pybtex.backends", "markdown")()
        entries = style.sort([_listable(self.entries[key]) for key in self._known(keys)])
        return [
            (entry.key, style.format_entry("", entry).text.render(backend).strip()) for entry in entries
        ]

    def check(self, keys: Iterable[str]) -> Iterator[Diagnostic]:
        """Yield a diagnostic for each of these works that lacks what its kind of entry must say."""
        for key in self._known(keys):
            problem = _problem(self.entries[key])
            if problem:
                what = f"The work `{key}` cannot be listed as its kind of entry: {problem}."
                advice = "Mend the entry; until then it is listed with what it has."
                yield Diagnostic(self.files.get(key, ""), 0, Code.BAD_BIBLIOGRAPHY, what, advice)

    def _known(self, keys: Iterable[str]) -> list[str]:
        return [key for key in sorted(set(keys)) if key in self.entries]


def _last_name(person: Person) -> str:
    return _plain(" ".join([*person.prelast_names, *person.last_names]))


def _plain(latex: str) -> str:
    """Return the text that a little LaTeX stands for, or the LaTeX where it is broken."""
    try:
        return str(Text.from_latex(latex))
    except PybtexError:
        return latex


def _problem(entry: Entry) -> str:
    """Return why an entry cannot be listed as what it says it is, or an empty text."""
    style = find_plugin("pybtex.style.formatting", "unsrt")()
    if not hasattr(style, f"get_{entry.type}_template"):
        return f"there is no `@{entry.type}`"
    try:
        style.format_entry("", entry)
    except PybtexError as error:
        return " ".join(str(error).split()).rstrip(".")
    return ""


def _listable(entry: Entry) -> Entry:
    """Return an entry that can be listed."""
    if not _problem(entry):
        return entry
    listable = Entry(_ANYTHING, entry.fields, entry.persons)
    listable.key = entry.key
    return listable


def read_bibliography(files: Mapping[str, str]) -> tuple[Bibliography, list[Diagnostic]]:
    """Return the works in BibTeX files, and a diagnostic for each entry that cannot be read.

    Args:
        files: The files' texts by their paths.
    """
    entries: dict[str, Entry] = {}
    places: dict[str, str] = {}
    diagnostics: list[Diagnostic] = []
    for path, text in files.items():
        with capture() as errors:
            found = parse_string(text, "bibtex").entries
        entries.update(found)
        places.update(dict.fromkeys(found, path))
        for error in errors:
            what = f"An entry cannot be read: {' '.join(str(error).split()).rstrip('.')}."
            line = getattr(error, "lineno", 0) or 0
            diagnostics.append(Diagnostic(path, line, Code.BAD_BIBLIOGRAPHY, what, "Mend the entry."))
    return Bibliography(entries, places), diagnostics
