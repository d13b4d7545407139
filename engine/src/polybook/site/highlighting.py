"""Code in colours: the result of Sphinx and Pygments in less time and in half the bytes.

A third of the time of a large build went into this. The parts of pinned libraries that are replaced here
are compared with in the tests.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from typing import Any

from ipython_pygments_lexers import IPython3Lexer
from pygments.formatters.html import HtmlFormatter
from pygments.lexer import inherit
from pygments.lexers.python import PythonLexer
from pygments.style import Style
from pygments.styles import get_style_by_name
from pygments.token import STANDARD_TYPES, Number, Operator, Punctuation, Text
from sphinx.application import Sphinx

#: What a line that only IPython understands has in it.
_IPYTHON = frozenset("%!?")


#: Words that are what they are wherever they stand, and no prefix of a text; Pygments looks at the others.
_WORD = r"(?!(?:async|case|class|def|from|import|lazy|match|yield|_)\b)[A-Za-z_][A-Za-z_0-9]*(?![\w\"'])"
#: Spaces inside a line, and before a word that begins one and is neither a text nor a soft keyword.
_SPACES = r"(?<=[^\n])[^\S\n]+(?=\S)|^[^\S\n]+(?=[A-Za-z_]\w*[^\w\"'])(?![^\S\n]*(?:case|lazy|match)\b)"


@lru_cache(4096)
def _kind(word: str, follows_dot: bool) -> Any:
    """Return what Pygments calls a word."""
    *_, (_, kind, _) = PythonLexer().get_tokens_unprocessed("." * follows_dot + word)
    return kind


def _word(lexer: PythonLexer, match: re.Match[str]) -> Iterator[Any]:
    """Yield the token of a word that has been found."""
    start, word = match.start(), match[0]
    yield start, _kind(word, match.string[start - 1 : start] == "."), word


class QuickPythonLexer(PythonLexer):
    """Pygments' lexer of Python: what most code consists of is looked for before fifty rarer things."""

    tokens = {  # noqa: RUF012  # as in Pygments
        "root": [
            (_SPACES, Text),
            (_WORD, _word),
            (r"[]{}(),;[]|:(?!=)", Punctuation),
            (r"[!=]=|<<|>>|:=|[-~+/*%=<>&^|]|\.(?!\d)", Operator),
            (r"\d+(?![\w.])", Number.Integer),
            inherit,
        ]
    }


_python = QuickPythonLexer()  # type: ignore[no-untyped-call]


@lru_cache(8)  # code that frameworks share is shown in the tab of each, one after the other
def _tokens(text: str) -> Sequence[Any]:
    return tuple(_python.get_tokens_unprocessed(text))  # type: ignore[no-untyped-call]


class CellLexer(IPython3Lexer):
    """The lexer of code cells: IPython's tries a dozen patterns of its own at every word of plain Python."""

    def get_tokens_unprocessed(self, text: str, stack: tuple[str, ...] = ("root",)) -> Iterator[Any]:
        """Yield the tokens of a text with their places."""
        return iter(
            _tokens(text) if _IPYTHON.isdisjoint(text) else super().get_tokens_unprocessed(text, stack)
        )


class CellFormatter(HtmlFormatter):
    """Marks what has a colour of its own: most words have that of the text around them.

    Args:
        styles: All styles that a page is shown in.
        options: Pygments' own.
    """

    def __init__(self, styles: Sequence[type[Style]], **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]
        self._styles = styles

    def _get_css_classes(self, ttype: Any) -> str:
        if all(_style(style, ttype) == _style(style, Text) for style in self._styles):
            return ""
        return str(super()._get_css_classes(ttype))  # type: ignore[no-untyped-call]


def _style(style: type[Style], ttype: Any) -> object:
    """Return how a token looks; a lexer's own kinds of tokens look like those that they are kinds of."""
    while ttype not in STANDARD_TYPES:
        ttype = ttype.parent
    return style.style_for_token(ttype)


def use_cell_formatter(app: Sphinx) -> None:
    """Handle `builder-inited`: Sphinx would make a formatter, with all its styles, for every block."""
    theme, bridge = (getattr(app.builder, name, None) for name in ("theme", "highlighter"))
    if theme is None or bridge is None:  # a builder of something else than pages
        return
    options = theme.get_options(app.config.html_theme_options)
    names = [options.get(f"pygments_{scheme}_style") for scheme in ("light", "dark")]
    if all(names):
        bridge.formatter = _kept(partial(CellFormatter, [get_style_by_name(name) for name in names]))


def _kept(make: Callable[..., Any]) -> Callable[..., Any]:
    kept = lru_cache(make)

    def get(**options: Any) -> Any:
        try:
            return kept(**options)
        except TypeError:  # a list of lines to mark cannot be looked up
            return make(**options)

    return get
