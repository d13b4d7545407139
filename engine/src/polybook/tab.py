"""The tab selector, for authors who open a chapter itself in Jupyter.

    %load_ext polybook.tab
    tab.interact_select('pytorch', 'jax')

After these lines a cell that begins with `%%tab pytorch` runs only while PyTorch is selected, and in any cell
`tab.selected('pytorch')` says whether it is. Built notebooks have one framework and none of this. Once it is
loaded, by the profile of IPython for example, chapters that load `d2lbook.tab` get it too.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from IPython.core.error import UsageError

from .dialect.cells import ALL
from .frameworks import FRAMEWORKS

#: The name of this extension in chapters for the builder `d2lbook`.
_FORMER_NAME = "d2lbook.tab"


class TabSelector:
    """The choice of one framework."""

    def __init__(self) -> None:
        self._offered: tuple[str, ...] = ()
        self._chosen: str | None = None

    def interact_select(self, *names: str | Iterable[str]) -> None:
        """Offer frameworks; the first is chosen until the author chooses another.

        The choice is a menu where ipywidgets are installed. It can always be made with `tab.select`.

        Args:
            *names: Names in tab marks, or lists of them.
        """
        offered = tuple(dict.fromkeys(_flat(names)))
        if not offered:
            raise UsageError("`interact_select` needs the name of a framework, for example 'pytorch'.")
        self._offered = tuple(map(_known, offered))
        self._chosen = self._chosen if self._chosen in offered else offered[0]
        self._show()

    def select(self, name: str) -> None:
        """Choose one of the frameworks offered."""
        if name not in self._offered:
            offered = ", ".join(self._offered) or "nothing yet; call `tab.interact_select` first"
            raise UsageError(f"`{name}` is not among the frameworks offered: {offered}.")
        self._chosen = name

    def selected(self, *names: str | Iterable[str]) -> bool:
        """Return whether one of these frameworks is chosen; `all` stands for every one.

        Args:
            *names: Names in tab marks, or lists of them.
        """
        if self._chosen is None:
            raise UsageError("No framework is chosen. Call `tab.interact_select('pytorch', ...)` first.")
        return bool({self._chosen, ALL} & set(_flat(names)))

    def _show(self) -> None:
        """Show the choice: a menu, or a line where there can be none."""
        try:
            widgets = import_module("ipywidgets")  # an author may do without
        except ImportError:
            offered = ", ".join(self._offered)
            sys.stdout.write(f"{self._chosen} of {offered}; `tab.select(...)` chooses another.\n")
            return
        options = [(FRAMEWORKS[name].title, name) for name in self._offered]
        menu = widgets.ToggleButtons(options=options, value=self._chosen, description="Framework")
        widgets.interact(self.select, name=menu)


def _flat(names: Iterable[str | Iterable[str]]) -> list[str]:
    return [one for name in names for one in ([name] if isinstance(name, str) else name)]


def _known(name: str) -> str:
    if name not in FRAMEWORKS:
        raise UsageError(f"There is no framework `{name}`. Known: {', '.join(FRAMEWORKS)}.")
    return name


def load_ipython_extension(shell: Any) -> None:
    """Give an IPython shell `tab` and the cell magic `%%tab`; `%load_ext` calls this."""
    tab = TabSelector()

    def run_if_selected(line: str, cell: str) -> None:
        if tab.selected(line.replace(",", " ").split()):
            shell.run_cell(cell)

    shell.user_ns["tab"] = tab
    shell.register_magic_function(run_if_selected, "cell", "tab")
    if find_spec(_FORMER_NAME.partition(".")[0]) is None:
        sys.modules[_FORMER_NAME] = sys.modules[__name__]
