"""The terms of a book: what the words of the source language are called in the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .diagnostics import Code, Diagnostic


@dataclass(frozen=True, slots=True)
class Terms:
    """A table of terms."""

    #: The file that it stands in, for messages.
    path: str = ""
    #: The terms of the text: their forms, the usual one first, by term and language tag.
    text: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    #: The words that only plots have, by word and language tag.
    plots: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    #: The 1-based line of each term.
    lines: Mapping[str, int] = field(default_factory=dict)

    def in_plots(self, language: str) -> dict[str, str]:
        """Return what the words of plots are in a language."""
        rows = {**self.text, **self.plots}
        return {term: forms[language][0] for term, forms in rows.items() if forms.get(language)}

    def glossary(self, language: str) -> dict[str, str]:
        """Return the term of the source language behind each form that a language has for it.

        A form that is the term itself needs none, and a single character of Chinese is often part of a word.
        """
        return {
            form: term
            for term, forms in self.text.items()
            for form in forms.get(language, ())
            if form != term and len(form) > 1
        }

    def check(self, languages: Sequence[str]) -> Iterator[Diagnostic]:
        """Yield a diagnostic for each term that one of these languages has no word for."""
        for term, forms in [*self.text.items(), *self.plots.items()]:
            for language in languages:
                if not forms.get(language):
                    what = f"The term `{term}` has no word in `{language}`."
                    advice = f"Add `{language}: ...` to it."
                    yield Diagnostic(self.path, self.lines[term], Code.UNTRANSLATED_TERM, what, advice)
