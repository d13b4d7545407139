"""The library as a value: its text, and its definitions one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..diagnostics import Diagnostic

#: Stands among the used names for all of them, where code takes the library as a whole.
ALL_NAMES = "*"


@dataclass(frozen=True, slots=True)
class Definition:
    """A name of the library."""

    #: The name: `Vocab`.
    name: str
    #: Its text in the library: a function or a class with its methods and note, or an assignment.
    source: str
    #: The chapter that saves it: `chapters/en/text.md`; for an alias, the configuration.
    chapter: str
    #: 1-based line in that chapter; 0 for an alias.
    line: int
    #: The other names of the library it uses, `*` for all.
    uses: frozenset[str]
    #: The import statements it needs.
    imports: tuple[str, ...]
    #: What it does: its imports and its source, without what is taken from the chapter's prose.
    code: str


@dataclass(frozen=True, slots=True)
class Library:
    """The module made of all that the chapters save for one framework."""

    #: The framework's name.
    framework: str
    #: The module's source.
    text: str
    #: The definitions by name, in the order of the module.
    definitions: Mapping[str, Definition]
    #: What is wrong; the definitions concerned are left out.
    diagnostics: tuple[Diagnostic, ...]

    def closure(self, names: Iterable[str]) -> dict[str, str]:
        """Return the code of the definitions named and of all that they use, sorted by name.

        A heading is not part of it, so an edit of prose leaves it as it is.

        Args:
            names: Any names; those that the library does not have are ignored, `*` means all.
        """
        found = find_closure(names, {name: each.uses for name, each in self.definitions.items()})
        return {name: self.definitions[name].code for name in sorted(found)}


def find_closure(names: Iterable[str], uses: Mapping[str, Iterable[str]]) -> set[str]:
    """Return names with all that they use in turn.

    Args:
        names: Any names; those that are not defined are ignored, `*` means all.
        uses: The names that each definition uses.
    """
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name == ALL_NAMES:
            waiting += uses
        elif name in uses and name not in found:
            found.add(name)
            waiting += uses[name]
    return found
