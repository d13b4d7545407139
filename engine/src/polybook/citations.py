"""Bibliographies: reading BibTeX, naming a work in a sentence, listing the works cited."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pybtex.database import Entry, Person, parse_string
from pybtex.errors import capture
from pybtex.exceptions import PybtexError
from pybtex.plugin import find_plugin
from pybtex.richtext import Text
from pybtex.style.formatting.unsrt import Style as UnsrtStyle
from pybtex.style.template import field as field_of
from pybtex.style.template import first_of, join, names, optional, optional_field, sentence

from .diagnostics import Code, Diagnostic
from .languages import ENGLISH, Language

#: The kind of entry that needs nothing but what it has.
_ANYTHING = "misc"
#: What pybtex raises for an entry without a field, and for LaTeX it cannot read.
_BROKEN = (PybtexError, UnicodeDecodeError)


@dataclass(frozen=True, slots=True)
class Bibliography:
    """The works that a book can cite."""

    #: BibTeX entries by their keys.
    entries: Mapping[str, Entry]
    #: The file that each key stands in.
    files: Mapping[str, str] = field(default_factory=dict)
    #: Works as they have been listed, by key and language: the page and each notebook list them again.
    _made: dict[tuple[str, Language], tuple[str, str]] = field(
        default_factory=dict, repr=False, compare=False
    )

    def name(self, key: str, language: Language) -> tuple[str, str]:
        """Return the authors and the year of a work, as a sentence names them.

        Raises:
            KeyError: There is no such work.
        """
        entry = self.entries[key]
        names = [_last_name(person) for person in _people(entry)]
        year = _field(entry, "year")
        match names:
            case []:
                return _plain(_field(entry, "title")) or key, year
            case [only]:
                return only, year
            case [first, second] if second != "others":
                return f"{first} {language.conjunction} {second}", year
        return language.et_al.format(names[0]), year

    def listing(self, keys: Iterable[str], language: Language = ENGLISH) -> list[tuple[str, str]]:
        """Return (key, Markdown) for each work, sorted by author, year and title.

        The authors are joined as in the language; what a work says of itself stays in its own.
        """
        known = sorted((_order(self.entries[key]), key) for key in set(keys) if key in self.entries)
        return [(key, self._listed(key, language)[0] or key) for _, key in known]

    def check(self, keys: Iterable[str]) -> Iterator[Diagnostic]:
        """Yield a diagnostic for each of these works that lacks what its kind of entry must say."""
        for key in sorted(set(keys)):
            problem = self._listed(key, ENGLISH)[1] if key in self.entries else ""
            if problem:
                what = f"The work `{key}` cannot be listed as its kind of entry: {problem}."
                advice = "Mend the entry; until then it is listed with what it has."
                yield Diagnostic(self.files[key], 0, Code.BAD_BIBLIOGRAPHY, what, advice)

    def _listed(self, key: str, language: Language) -> tuple[str, str]:
        if (key, language) not in self._made:
            self._made[key, language] = _listed(self.entries[key], language)
        return self._made[key, language]


def _last_name(person: Person) -> str:
    return _plain(" ".join([*person.prelast_names, *person.last_names]))


@cache
def _plain(latex: str) -> str:
    """Return the text that a little LaTeX stands for, or the LaTeX where it is broken."""
    try:
        return str(Text.from_latex(latex))  # type: ignore[no-untyped-call]
    except _BROKEN:
        return latex


def _field(entry: Entry, name: str) -> str:
    return "" if entry.fields is None else str(entry.fields.get(name, ""))


def _order(entry: Entry) -> tuple[list[str], str, str]:
    names = [f"{_last_name(person)} {' '.join(person.first_names)}".casefold() for person in _people(entry)]
    return names, _field(entry, "year"), _plain(_field(entry, "title")).casefold()


def _people(entry: Entry) -> Sequence[Person]:
    if entry.persons is None:
        return []
    return entry.persons.get("author") or entry.persons.get("editor") or []


def _listed(entry: Entry, language: Language) -> tuple[str, str]:
    """Return a work as the bibliography lists it, in Markdown, and what its entry lacks for that."""
    problem = ""
    style, backend = _tools(language)
    for kind in (entry.type, _ANYTHING):
        if not hasattr(style, f"get_{kind}_template"):
            problem = problem or f"there is no `@{kind}`"
            continue
        listed = Entry(kind, entry.fields, entry.persons)  # type: ignore[no-untyped-call]
        listed.key = entry.key
        try:
            return style.format_entry("", listed).text.render(backend).strip(), problem
        except _BROKEN as error:
            problem = problem or " ".join(str(error).split()).rstrip(".")
    people = ", ".join(map(_last_name, _people(entry)))
    parts = (people, _plain(_field(entry, "title")), _field(entry, "year"))
    return ". ".join(part for part in parts if part), problem


class _Style(UnsrtStyle):
    """The style of the list of works in one language."""

    def __init__(self, language: Language) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.language = language
        self.before_last = f" {language.conjunction} "
        self.before_last_of_many = f", {language.conjunction} " if language.tag == "en" else self.before_last

    def format_volume_and_series(self, e: Entry, as_sentence: bool = True) -> Any:
        """Return a series and the volume of it; pybtex has English words for them."""
        given = super().format_volume_and_series(e, as_sentence)  # type: ignore[no-untyped-call]
        if self.language.tag == "en":
            return given
        before, _, after = self.language.volume.partition("{}")
        volume = join[before, field_of("volume"), after]
        found = first_of[optional[join(sep=", ")[optional_field("series"), volume]], given]
        return sentence(capfirst=True)[found] if as_sentence else found

    def format_names(self, role: str, as_sentence: bool = True) -> Any:
        """Return the names of a work's people with the language's word before the last one."""
        people = names(role, sep=", ", sep2=self.before_last, last_sep=self.before_last_of_many)
        return sentence[people] if as_sentence else people


@cache
def _tools(language: Language) -> tuple[Any, Any]:
    """Return the style and the markup of the list of works in a language."""
    backend = find_plugin("pybtex.backends", "markdown")  # type: ignore[no-untyped-call]
    return _Style(language), backend()


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
            found = parse_string(text, "bibtex").entries  # type: ignore[no-untyped-call]
        entries.update(found)
        places.update(dict.fromkeys(found, path))
        for error in errors:
            what = f"An entry cannot be read: {' '.join(str(error).split()).rstrip('.')}."
            line = getattr(error, "lineno", 0) or 0
            diagnostics.append(Diagnostic(path, line, Code.BAD_BIBLIOGRAPHY, what, "Mend the entry."))
    return Bibliography(entries, places), diagnostics
