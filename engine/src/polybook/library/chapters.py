"""Reading one chapter for one framework: the statements it saves and the imports it has."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from ..diagnostics import Code, Diagnostic
from ..dialect import find_saved_statements, replace_roles
from ..dialect.cells import SavedStatement
from ..dialect.python import first_line, parse_module
from ..frameworks import select
from ..model import Cell, Document, Heading
from .imports import Import, Place, read_imports
from .scopes import Use, dotted_path, find_bindings, find_uses
from .sources import Definable, remove_decorators

#: The decorator that makes a function a method of the class it is given.
ADD_TO_CLASS = "add_to_class"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where in the book something is saved."""

    #: The chapter: `chapters/en/text.md`.
    chapter: str
    #: The nearest heading above, as plain text, or an empty text.
    title: str

    @property
    def comment(self) -> str:
        """The comment that stands above it in the library."""
        return f"# {self.chapter}: {self.title}" if self.title else f"# {self.chapter}"

    @property
    def note(self) -> str:
        """The paragraph at the end of its docstring."""
        if not self.title:
            return f"Defined in {self.chapter}."
        return f"""Defined in "{self.title.replace('"', "'")}" ({self.chapter})."""


@dataclass(frozen=True, slots=True, eq=False)
class Saved:
    """A statement that goes into the library."""

    #: Its chapter and section.
    origin: Origin
    #: Its first line in the chapter.
    place: Place
    #: What it defines: one name as a rule, none where it changes what is saved already.
    names: tuple[str, ...]
    #: The classes that it is added to; empty for what is no method.
    classes: tuple[str, ...]
    #: The saved name that it changes, `DATA_HUB` of `d2l.DATA_HUB["x"] = ...`, or an empty text.
    changes: str
    #: Its text, without `#@save` and `@add_to_class(...)`.
    source: str
    #: The names it takes from outside.
    uses: tuple[Use, ...]
    #: The line in the chapter of each line that the uses speak of.
    lines: tuple[int, ...]
    #: What its own import statement says, if it is one.
    own_imports: tuple[Import, ...]
    #: The imports of its chapter, by the name they bind.
    imports: Mapping[str, Sequence[Import]] = field(repr=False)

    @property
    def label(self) -> str:
        """What to call it in a message."""
        names: Sequence[str] = self.names or [each.bound for each in self.own_imports] or [self.changes]
        names = [f"{owner}.{name}" for owner in self.classes for name in names] or names
        return ", ".join(f"`{name}`" for name in names)

    def place_of(self, use: Use) -> Place:
        """Return the line of the chapter on which a name is used."""
        return Place(self.origin.chapter, self.lines[use.node.lineno - 1])


@dataclass(frozen=True, slots=True)
class _Code:
    """A cell's code for one framework."""

    origin: Origin
    text: str
    #: The statements, or `None` where the code is not Python.
    body: Sequence[ast.stmt] | None
    #: The chapter's line of each line of the text.
    lines: tuple[int, ...]

    def place(self, line: int) -> Place:
        return Place(self.origin.chapter, self.lines[line - 1])


def read_chapter(
    name: str, document: Document, framework: str, default: str, library: str
) -> list[Saved | Diagnostic]:
    """Return what a chapter saves for a framework, and what is wrong with it, in order.

    Args:
        name: The chapter's name: `chapters/en/text.md`.
        document: The chapter.
        framework: The framework's name.
        default: The framework that cells without a mark belong to.
        library: The library's package, `d2l`.
    """
    if not may_save(document):
        return []
    cells = list(_read_cells(name, document, framework, default))
    statements = [(cell, node) for cell in cells for node in cell.body or ()]
    imports: dict[str, list[Import]] = {}
    for cell, node in statements:
        for each in read_imports(node, cell.place(node.lineno), library):
            imports.setdefault(each.bound, []).append(each)
    reader = _SaveReader(library, imports, _names_of_add_to_class(node for _, node in statements))
    return [found for cell in cells for found in reader.read(cell)]


def may_save(document: Document) -> bool:
    """Return whether a chapter may save something; `False` is certain."""
    return any("@save" in cell.code for cell in document.cells)


def _read_cells(name: str, document: Document, framework: str, default: str) -> Iterator[_Code]:
    title = ""
    for block in select(document, framework, default).blocks:
        if isinstance(block, Heading):
            title = _plain(block.title)
        elif isinstance(block, Cell):
            tree = parse_module(block.code)
            yield _Code(Origin(name, title), block.code, tree.body if tree else None, _find_lines(block))


def _plain(title: str) -> str:
    """Return a heading without its inline marks, on one line."""
    markdown = replace_roles(title, lambda role: role.value)
    return " ".join(re.sub(r"[`$*]|\[([^\]]*)\]\([^)]*\)", r"\1", markdown).split())


def _find_lines(cell: Cell) -> tuple[int, ...]:
    """Return, for each line of the code chosen from a cell, its line in the chapter."""
    from difflib import SequenceMatcher  # noqa: PLC0415  # slow to import

    written = [line.strip() for line in cell.source.split("\n")[1:]]
    chosen = [line.strip() for line in cell.code.split("\n")]
    lines = [0] * len(chosen)
    for start, position, size in SequenceMatcher(None, written, chosen, autojunk=False).get_matching_blocks():
        lines[position : position + size] = range(cell.code_line + start, cell.code_line + start + size)
    return tuple(accumulate(lines, lambda before, line: line or before, initial=cell.code_line))[1:]


def _names_of_add_to_class(statements: Iterable[ast.stmt]) -> frozenset[str]:
    """Return the names that a chapter gives to the decorator."""
    names = {ADD_TO_CLASS}
    for statement in statements:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                path = dotted_path(value)
                if path and path[-1] in names:
                    names.add(name)
            case ast.ImportFrom(names=aliases):
                names |= {alias.asname for alias in aliases if alias.asname and alias.name == ADD_TO_CLASS}
    return frozenset(names)


@dataclass(frozen=True, slots=True)
class _SaveReader:
    """Reads the saved statements of one chapter."""

    library: str
    imports: Mapping[str, Sequence[Import]]
    #: What the chapter calls `add_to_class`.
    adders: frozenset[str]

    def read(self, cell: _Code) -> Iterator[Saved | Diagnostic]:
        found = find_saved_statements(cell.text)
        if found and cell.body is None:
            yield _invalid(cell.place(found[0].mark_line), "A cell with `#@save` is not Python.")
            return
        for each in found:
            yield self._statement(cell, each)

    def _statement(self, cell: _Code, found: SavedStatement) -> Saved | Diagnostic:
        if found.node is None:
            return _nothing_to_save(cell.place(found.mark_line), "No statement follows `#@save`.")
        place = cell.place(first_line(found.node))
        try:
            alone = len(ast.parse(found.source).body) == 1
        except SyntaxError:
            return _invalid(place, "A saved statement holds a magic or shell command.")
        if not alone:
            return _invalid(place, "A saved statement shares its line with another one.")
        saved = self._saved(cell, found.node, found.source)
        if not (saved.names or saved.changes or saved.own_imports):
            return _nothing_to_save(place, "A saved statement defines no name.")
        return saved

    def _saved(self, cell: _Code, node: ast.stmt, source: str) -> Saved:
        place = cell.place(first_line(node))
        classes = self._classes(node)
        if isinstance(node, Definable) and classes:
            source = remove_decorators(source, self._adds_to_class)
            node = copy.copy(node)
            node.decorator_list = [each for each in node.decorator_list if not self._adds_to_class(each)]
        changes = self._changed_name(node)
        is_import = isinstance(node, ast.Import | ast.ImportFrom)
        return Saved(
            origin=cell.origin,
            place=place,
            names=() if changes or is_import else find_bindings([node]),
            classes=classes,
            changes=changes,
            source=source,
            uses=find_uses([node]),
            lines=cell.lines,
            own_imports=tuple(read_imports(node, place, self.library)),
            imports=self.imports,
        )

    def _adds_to_class(self, decorator: ast.expr) -> bool:
        if not isinstance(decorator, ast.Call):
            return False
        path = dotted_path(decorator.func)
        return path[-1:] == (ADD_TO_CLASS,) or (len(path) == 1 and path[0] in self.adders)

    def _classes(self, node: ast.stmt) -> tuple[str, ...]:
        """Return the classes that a statement is added to, as the library calls them."""
        calls = [each for each in getattr(node, "decorator_list", []) if self._adds_to_class(each)]
        classes = (argument for call in calls for argument in (*call.args, *(k.value for k in call.keywords)))
        return tuple(self._library_name(dotted_path(each)) or ast.unparse(each) for each in classes)

    def _changed_name(self, node: ast.stmt) -> str:
        """Return the name whose value a statement changes in place, or an empty text."""
        match node:
            case ast.Assign(targets=[target]) if not isinstance(target, ast.Name | ast.Tuple | ast.List):
                return self._root(target)
            case ast.AnnAssign(target=target) if not isinstance(target, ast.Name):
                return self._root(target)
            case ast.AugAssign(target=target):
                return self._root(target)
            case ast.Expr(value=ast.Call(func=function)):
                return self._root(function)
        return ""

    def _root(self, node: ast.expr) -> str:
        """Return the library's name at the beginning of an expression: `X` of `d2l.X["y"].z`."""
        while not (path := dotted_path(node)):
            if isinstance(node, ast.Attribute | ast.Subscript):
                node = node.value
            elif isinstance(node, ast.Call):
                node = node.func
            else:
                return ""
        return self._library_name(path)

    def _library_name(self, path: tuple[str, ...]) -> str:
        """Return the first part of a dotted name after `d2l.`."""
        is_library = path and any(each.is_library for each in self.imports.get(path[0], ()))
        if len(path) > 1 and (is_library or path[0] == self.library):
            return path[1]
        return path[0] if path else ""


def _nothing_to_save(place: Place, what: str) -> Diagnostic:
    return place.diagnostic(Code.SAVE_WITHOUT_STATEMENT, what, "Put the mark above or beside a definition.")


def _invalid(place: Place, what: str) -> Diagnostic:
    return place.diagnostic(Code.INVALID_CODE, what, "Save only Python, each statement on lines of its own.")
