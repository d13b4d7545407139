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

    def __init__(
        self, title: str, module: str, aliases: Mapping[str, Alias], saved: Sequence[Saved]
    ) -> None:
        self.title = title
        self.module = module
        self.aliases = aliases
        self.saved = saved
        self.definitions: dict[str, Saved] = {}
        self.imports: dict[str, list[Import]] = {}
        self._order = {each: number for number, each in enumerate(saved)}
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
        """Return the library's name that a use means; empty for an import, or for itself."""
        root, *attributes = use.path
        if self.is_library(saved, root):
            return attributes[0] if attributes else ALL_NAMES
        is_itself = root in saved.names and not saved.classes
        return "" if is_itself or root in saved.imports else root

    def imports_of(self, saved: Saved) -> list[Import]:
        """Return the imports of its chapter that a statement needs, and what it imports itself."""
        roots = dict.fromkeys(use.path[0] for use in saved.uses)
        return [*saved.own_imports, *(each for root in roots for each in saved.imports.get(root, ()))]

    def is_before(self, name: str, saved: Saved) -> bool:
        """Return whether `name` is defined before a statement runs; a method runs with its class."""
        runs = min((self._order[self.definitions[owner]] for owner in saved.classes), default=self._order[saved])
        return self._order[self.definitions[name]] <= runs


def _saved_twice(draft: Draft) -> Iterator[Finding]:
    """A name is saved once, a method once for each class."""
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
    """A method is added to a class that is saved before it."""
    for saved in draft.kept:
        for owner in saved.classes:
            target = draft.definitions.get(owner)
            if target is None:
                problem = f"a class that no chapter saves for {draft.title}"
            elif not isinstance(ast.parse(target.source).body[0], ast.ClassDef):
                problem = f"which is no class in {target.place}"
            elif not draft.is_before(owner, saved):
                problem = f"a class that is saved only later, in {target.place}"
            else:
                continue
            what = f"`{saved.names[0]}` is added to `{owner}`, {problem}."
            advice = "Mark the class statement with `#@save`, before its methods."
            yield saved, saved.place.diagnostic(Code.CLASS_NOT_SAVED, what, advice)
