"""All that may become the library, and the rules for what does."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..diagnostics import Code, Diagnostic
from .aliases import CONFIG, Alias
from .chapters import Saved
from .definitions import ALL_NAMES
from .imports import Import, Place
from .scopes import Use

#: What a rule yields: a statement to leave out, and why; `None` where the reason has been given.
Finding = tuple[Saved, Diagnostic | None]

_BUILTINS = frozenset(dir(builtins))
_MODULE_ATTRIBUTES = frozenset({"__doc__", "__file__", "__name__", "__package__", "__path__", "__spec__"})
#: Names that only exist inside a class body or a method.
_CLASS_NAMES = frozenset({"__class__", "__module__", "__qualname__"})


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What a name of the module means, and where that is said."""

    #: The dotted name imported, an empty text for the library itself, `None` for a definition.
    target: str | None
    place: Place

    def __str__(self) -> str:
        return {None: "a saved definition", "": "the library"}.get(self.target, f"`{self.target}`")


class Draft:
    """The saved statements, indexed; `check` leaves out what breaks a rule.

    Args:
        title: The framework, as readers know it.
        module: The library's package.
        aliases: The aliases by name.
        saved: The statements in the order of the book.
    """

    def __init__(self, title: str, module: str, aliases: Mapping[str, Alias], saved: Sequence[Saved]) -> None:
        self.title = title
        self.module = module
        self.aliases = aliases
        self.saved = saved
        self.definitions: dict[str, Saved] = {}
        self.imports: dict[str, list[Import]] = {}
        self.order = {each: number for number, each in enumerate(saved)}
        self._left_out: set[Saved] = set()
        for each in saved:
            for name in () if each.classes else each.names:
                self.definitions.setdefault(name, each)
            for own in each.own_imports:
                self.imports.setdefault(own.bound, []).append(own)

    @property
    def kept(self) -> list[Saved]:
        """The statements that break no rule."""
        return [each for each in self.saved if each not in self._left_out]

    def check(self) -> Iterator[Diagnostic]:
        """Apply the rules and yield what is wrong."""
        for rule in RULES:
            for saved, diagnostic in list(rule(self)):
                self._left_out.add(saved)
                if diagnostic is not None:
                    yield diagnostic

    def is_left_out(self, name: str) -> bool:
        """Return whether `name` is saved but breaks a rule."""
        return self.definitions.get(name) in self._left_out

    def is_library(self, saved: Saved, name: str) -> bool:
        """Return whether a statement's chapter calls the library `name`."""
        return name == self.module or any(each.is_library for each in saved.imports.get(name, ()))

    def library_name(self, saved: Saved, use: Use) -> str:
        """Return the library's name that a use means; empty for an import, for itself, and for a builtin."""
        root, *attributes = use.path
        if self.is_library(saved, root):
            return attributes[0] if attributes else ALL_NAMES
        if root in self.aliases and self.aliases[root].is_builtin:
            return ""
        is_itself = root in saved.names and not saved.classes
        return "" if is_itself or root in saved.imports else root

    def imports_of(self, saved: Saved) -> list[Import]:
        """Return the imports of its chapter that a statement needs, and what it imports itself."""
        roots = dict.fromkeys(use.path[0] for use in saved.uses)
        return [*saved.own_imports, *(each for root in roots for each in saved.imports.get(root, ()))]

    @property
    def meanings(self) -> dict[str, _Meaning]:
        """What names mean before any import is looked at."""
        imported = [each for alias in self.aliases.values() for each in alias.imports]
        return {
            self.module: _Meaning("", CONFIG),
            **{each.bound: _Meaning(each.target, each.place) for each in imported},
            **{alias.name: _Meaning(alias.expression, CONFIG) for alias in self.aliases.values()},
            **{name: _Meaning(None, saved.place) for name, saved in self.definitions.items()},
        }

    def run_time(self, saved: Saved) -> int:
        """Return when a statement runs in the module; a method runs with its class."""
        owners = [self.definitions[owner] for owner in saved.classes if owner in self.definitions]
        return min(self.order[each] for each in owners or [saved])


def _saved_twice(draft: Draft) -> Iterator[Finding]:
    """Find names that are saved a second time, and methods for the same class."""
    first = {("", name): CONFIG for name in draft.aliases}
    for saved in draft.saved:
        keys = [(owner, name) for owner in saved.classes or ("",) for name in saved.names]
        earlier = next((first[key] for key in keys if key in first), None)
        if earlier is None:
            first |= dict.fromkeys(keys, saved.place)
            continue
        what = f"{saved.label} is saved twice, first in {earlier}."
        advice = "Rename one of the two, or take its `#@save` away."
        yield saved, saved.place.diagnostic(Code.SAVED_TWICE, what, advice)


def _class_not_saved(draft: Draft) -> Iterator[Finding]:
    """Find methods of classes that are not saved before them."""
    for saved in draft.kept:
        for owner in saved.classes:
            target = draft.definitions.get(owner)
            if target is None:
                problem = f"a class that no chapter saves for {draft.title}"
            elif not isinstance(ast.parse(target.source).body[0], ast.ClassDef):
                problem = f"which is no class in {target.place}"
            elif draft.order[target] > draft.order[saved]:
                problem = f"a class that is saved only later, in {target.place}"
            else:
                continue
            what = f"`{saved.names[0]}` is added to `{owner}`, {problem}."
            advice = "Mark the class statement with `#@save`, before its methods."
            yield saved, saved.place.diagnostic(Code.CLASS_NOT_SAVED, what, advice)


def _nothing_changed(draft: Draft) -> Iterator[Finding]:
    """Find statements that neither define a name nor change a saved one."""
    for saved in draft.kept:
        if saved.changes and saved.changes not in draft.definitions:
            what = f"A saved statement defines no name, and `{saved.changes}`, which it uses, is not saved."
            advice = "Put the mark above or beside a definition."
            yield saved, saved.place.diagnostic(Code.SAVE_WITHOUT_STATEMENT, what, advice)


def _name_not_saved(draft: Draft) -> Iterator[Finding]:
    """Find uses of names that do not exist, or not yet."""
    for saved in draft.kept:
        for use in _distinct(saved.uses):
            name = draft.library_name(saved, use)
            problem = _why_unknown(draft, saved, use, name) if name else None
            if problem is not None:
                yield saved, saved.place_of(use).diagnostic(Code.NAME_NOT_SAVED, *problem)


def _distinct(uses: Sequence[Use]) -> list[Use]:
    """Return the first use of each name, the first eager one where there is one."""
    first: dict[tuple[str, ...], Use] = {}
    for use in uses:
        known = first.setdefault(use.path[:2], use)
        if use.is_eager and not known.is_eager:
            first[use.path[:2]] = use
    return list(first.values())


def _why_unknown(draft: Draft, saved: Saved, use: Use, name: str) -> tuple[str, str] | None:
    """Return what is wrong with a use of `name` and what to do, or `None` where it is right."""
    if name in draft.definitions:
        target = draft.definitions[name]
        if not use.is_eager or draft.order[target] <= draft.run_time(saved):
            return None
        what = (
            f"{saved.label} needs `{name}` as soon as the library is imported, but it is saved only later, "
        )
        return f"{what}in {target.place}.", f"Save `{name}` first."
    if name in draft.aliases or name in draft.imports or name in _MODULE_ATTRIBUTES | {ALL_NAMES}:
        return None
    if draft.is_library(saved, use.path[0]):
        written, advice = ".".join(use.path[:2]), f"Mark the definition of `{name}` with `#@save`."
    elif name in _BUILTINS | _CLASS_NAMES:
        return None
    else:
        written, advice = (
            name,
            f"Mark the definition of `{name}` with `#@save`, or import it in this chapter.",
        )
    return f"{saved.label} uses `{written}`, which no chapter saves for {draft.title}.", advice


def _imported_twice(draft: Draft) -> Iterator[Finding]:
    """Find imports by which a name would mean two things in one module."""
    meanings = draft.meanings
    for saved in draft.kept:
        for each in draft.imports_of(saved):
            known = meanings.setdefault(each.bound, _Meaning(each.target, each.place))
            if known.target == each.target:
                continue
            new = _Meaning(each.target, each.place)
            what = f"{saved.label} needs `{each.bound}` to mean {new}, but it means {known} in {known.place}."
            advice = "Import one of them under another name."
            yield saved, each.place.diagnostic(Code.SAVED_TWICE, what, advice)


def _builtin_hidden(draft: Draft) -> Iterator[Finding]:
    """Find uses of a builtin that something in the library hides."""
    meanings = draft.meanings
    for saved in draft.kept:
        for each in draft.imports_of(saved):
            meanings.setdefault(each.bound, _Meaning(each.target, each.place))
    for saved in draft.kept:
        for use in _distinct(saved.uses):
            name = draft.library_name(saved, use)
            if name != use.path[0] or name not in _BUILTINS or name not in meanings:
                continue
            target = draft.definitions.get(name)
            if target is None or target.origin.chapter != saved.origin.chapter:
                known = meanings[name]
                what = (
                    f"{saved.label} uses Python's `{name}`, which is {known} in the library ({known.place})."
                )
                advice = f"Write `builtins.{name}` here, or choose another name there."
                yield saved, saved.place_of(use).diagnostic(Code.SAVED_TWICE, what, advice)


def _needs_left_out(draft: Draft) -> Iterator[Finding]:
    """Find statements that cannot be run without what is left out."""
    gone: set[Saved] = set()

    def is_gone(name: str) -> bool:
        return draft.is_left_out(name) or draft.definitions.get(name) in gone

    found = True
    while found:
        found = False
        for saved in draft.kept:
            needed = {draft.library_name(saved, use) for use in saved.uses if use.is_eager}
            if saved not in gone and any(map(is_gone, needed | {*saved.classes, saved.changes})):
                gone.add(saved)
                found = True
    return ((saved, None) for saved in gone)


Rule = Callable[[Draft], Iterator[Finding]]

#: Each sees only what the rules before it have kept.
RULES: tuple[Rule, ...] = (
    _saved_twice,
    _class_not_saved,
    _nothing_changed,
    _name_not_saved,
    _imported_twice,
    _builtin_hidden,
    _needs_left_out,
)
