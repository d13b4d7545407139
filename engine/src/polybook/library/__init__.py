"""The library: one module a framework, cut out of the `#@save` cells of all chapters.

build        all chapters -> text and definitions
draft        the rules for what may be part of it
package      what to install for it
aliases      names that stand for expressions of the framework
chapters     one chapter -> what it saves
notebooks    how the code of a notebook uses the library
imports, sources, scopes    Python: imports, edits of definitions, names from outside
definitions  the values that come out
"""

from .build import build_library
from .definitions import ALL_NAMES, Definition, Library
from .notebooks import expand_aliases, names_used
from .package import package_text

__all__ = [
    "ALL_NAMES",
    "Definition",
    "Library",
    "build_library",
    "expand_aliases",
    "names_used",
    "package_text",
]
