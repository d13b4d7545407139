"""Import statements: one value for each name that an import binds, and how they are written."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from textwrap import indent

from ..diagnostics import Code, Diagnostic

#: The longest line of imports that is not broken.
LINE_LENGTH = 88

#: The section of imports that are neither the standard library's nor relative.
_OTHERS = 2
_ADVISED = """\
try:
{imports}
except ModuleNotFoundError as error:
    from . import advice

    raise advice(__name__, error) from None"""


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a chapter, or a file as a whole."""

    #: The file, relative to the book.
    path: str
    #: 1-based line, or 0 for the file as a whole.
    line: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path

    def diagnostic(self, code: Code, what: str, advice: str) -> Diagnostic:
        """Return a finding at this place."""
        return Diagnostic(self.path, self.line, code, what, advice)


@dataclass(frozen=True, slots=True, order=True)
class Import:
    """What one name of an import statement says."""

    #: The module named, with leading dots if relative; empty where the library imports itself.
    module: str
    #: What is taken out of the module; empty for `import module`.
    name: str = ""
    #: The name after `as`, or an empty text.
    asname: str = ""
    #: Where it is written; two imports that say the same are equal wherever they stand.
    place: Place = field(default=Place(""), compare=False)

    @property
    def bound(self) -> str:
        """The name that the import binds."""
        return self.asname or self.name or self.module.partition(".")[0]

    @property
    def target(self) -> str:
        """What the bound name means: a dotted path, or an empty text for the library itself."""
        if self.name:
            return f"{self.module}.{self.name}"
        return self.module if self.asname else self.bound

    @property
    def is_library(self) -> bool:
        """Whether the name means the library itself."""
        return not self.module

    @property
    def statement(self) -> str:
        """The import as a statement of its own."""
        return f"from {self.module} import {self.clause}" if self.name else f"import {self.clause}"

    @property
    def clause(self) -> str:
        """What follows the word `import`."""
        what = self.name or self.module
        return f"{what} as {self.asname}" if self.asname else what


def read_imports(statement: ast.stmt, place: Place, library: str) -> Iterator[Import]:
    """Yield what an import statement binds; stars and what it takes out of the library are left out.

    Args:
        statement: Any statement; one that is no import binds nothing.
        place: Where it stands.
        library: The library's package, `d2l`.
    """
    if isinstance(statement, ast.Import):
        for alias in statement.names:
            if alias.name.partition(".")[0] == library:
                yield Import("", "", alias.asname or library, place)
            else:
                yield Import(alias.name, "", alias.asname or "", place)
    elif isinstance(statement, ast.ImportFrom):
        module = "." * statement.level + (statement.module or "")
        for alias in statement.names:
            if alias.name == "*":
                continue
            if module == library:
                yield Import("", "", alias.asname or alias.name, place)
            elif module.partition(".")[0] != library:
                yield Import(module, alias.name, alias.asname or "", place)


def write_imports(imports: Iterable[Import]) -> str:
    """Return the imports of a module of the library, sorted, each once.

    Those of the standard library come first, then others, then relative ones. If one of the others is
    missing, the package says what to install, however the module is imported.
    """
    sections: dict[int, list[Import]] = {}
    for each in sorted(set(imports)):
        sections.setdefault(_section(each.module), []).append(each)
    texts = {number: "\n".join(_lines(sections[number])) for number in sorted(sections)}
    if _OTHERS in texts:
        texts[_OTHERS] = _ADVISED.format(imports=indent(texts[_OTHERS], "    "))
    return "\n\n".join(texts.values())


def _section(module: str) -> int:
    root = module.partition(".")[0]
    if root == "__future__":
        return 0
    if root in sys.stdlib_module_names:
        return 1
    return _OTHERS if root else 3


def _lines(imports: list[Import]) -> Iterator[str]:
    yield from sorted((each.statement for each in imports if not each.name), key=str.lower)
    clauses: dict[str, list[str]] = {}
    for each in imports:
        if each.name:
            clauses.setdefault(each.module, []).append(each.clause)
    for module in sorted(clauses, key=str.lower):
        yield _from_line(module, sorted(clauses[module], key=_kind))


def _from_line(module: str, clauses: list[str]) -> str:
    line = f"from {module} import {', '.join(clauses)}"
    if len(line) <= LINE_LENGTH:
        return line
    return "\n".join((f"from {module} import (", *(f"    {clause}," for clause in clauses), ")"))


def _kind(clause: str) -> tuple[int, str, str]:
    """Return where a name stands in its line: constants, then classes, then all others."""
    name = clause.partition(" ")[0]
    rank = 0 if len(name) > 1 and name.isupper() else 1 if name[0].isupper() else 2
    return rank, name.lower(), clause
