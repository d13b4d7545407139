"""Names that stand for expressions of the framework: `concat` for `torch.cat`."""

from __future__ import annotations

import ast
import builtins
import keyword
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..diagnostics import Code, Diagnostic
from .chapters import Saved
from .imports import Import, Place
from .scopes import find_uses

#: Where aliases are defined.
CONFIG = Place("_config.yml")


@dataclass(frozen=True, slots=True)
class Alias:
    """A name that stands for an expression."""

    #: The name: `concat`.
    name: str
    #: The expression: `torch.cat`.
    expression: str
    #: The imports that it needs.
    imports: tuple[Import, ...]

    @property
    def source(self) -> str:
        """The alias as an assignment."""
        return f"{self.name} = {self.expression}"

    @property
    def is_builtin(self) -> bool:
        """Whether Python itself has the name, which then goes on meaning Python's inside the library."""
        return hasattr(builtins, self.name)


def read_aliases(
    aliases: Mapping[str, str], saved: Sequence[Saved], module: str
) -> tuple[dict[str, Alias], list[Diagnostic]]:
    """Return the aliases that can be defined, and what is wrong with the others.

    The module in front of an expression is imported as the chapters import it, or by its own name.

    Args:
        aliases: The expression for each name.
        saved: The statements that the chapters save.
        module: The library's package.
    """
    found: dict[str, Alias] = {}
    diagnostics: list[Diagnostic] = []
    definitions = {name for each in saved if not each.classes for name in each.names}
    for name, expression in aliases.items():
        roots = _roots(name, expression)
        if roots is None:
            what = f"The alias `{name}` is no name for a Python expression."
            diagnostics.append(CONFIG.diagnostic(Code.INVALID_CODE, what, "Correct its line."))
        elif early := sorted(definitions & roots):
            what = f"The alias `{name}` uses `{early[0]}`, which a chapter saves."
            advice = "Let it stand for something of the framework."
            diagnostics.append(CONFIG.diagnostic(Code.NAME_NOT_SAVED, what, advice))
        else:
            needed = sorted(roots - {module, *found, *dir(builtins)})
            imports = tuple(each for root in needed for each in _imports_of(root, saved))
            found[name] = Alias(name, expression.strip(), imports)
    return found, diagnostics


def _roots(name: str, expression: str) -> set[str] | None:
    """Return the names that an expression begins with, or `None` where it is no alias."""
    if not name.isidentifier() or keyword.iskeyword(name):
        return None
    try:
        (statement,) = ast.parse(f"{name} = {expression.strip()}").body
    except (SyntaxError, ValueError):
        return None
    if not isinstance(statement, ast.Assign):
        return None
    return {use.path[0] for use in find_uses([statement.value])}


def _imports_of(root: str, saved: Sequence[Saved]) -> Iterator[Import]:
    imports = next((each.imports[root] for each in saved if root in each.imports), None)
    yield from imports or [Import(root, place=CONFIG)]
