"""The errors polybook raises, all caught once, in `cli`.

    PolybookError              anything a user can cause and mend
    ├── UsageError             the command was called wrongly (exit code 2)
    ├── ConfigError            `_config.yml` or `_toc.yml` cannot be used
    ├── LibraryError           the `#@save` cells do not make a library
    ├── ExecutionError         a kernel could not be started or died
    └── RenderError            Sphinx could not build the site

What is wrong with one chapter is no exception but a `Diagnostic`: the rest of the book still builds.
"""

from __future__ import annotations

from collections.abc import Sequence

from .diagnostics import Diagnostic


class PolybookError(Exception):
    """An error that ends the command, worded for the author of the book.

    Args:
        *diagnostics: What is wrong and what to do, one line each.
    """

    exit_code = 1

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__("\n".join(map(str, diagnostics)))
        self.diagnostics: Sequence[Diagnostic] = diagnostics


class UsageError(PolybookError):
    """The command was called wrongly."""

    exit_code = 2


class ConfigError(PolybookError):
    """The book's configuration cannot be used."""


class LibraryError(PolybookError):
    """The saved definitions do not make a library."""


class ExecutionError(PolybookError):
    """A kernel could not be started or died."""


class RenderError(PolybookError):
    """Sphinx could not build the site."""
