"""The library: one module a framework, cut out of the `#@save` cells of all chapters.

build        all chapters -> text and definitions
draft        the rules for what may be part of it
package      what to install for it
aliases      names that stand for expressions of the framework
chapters     one chapter -> what it saves
notebooks    where the code of a notebook uses the library
expansion    aliases in notebooks, written as what they stand for
imports, sources, scopes    Python: imports, edits of definitions, names from outside
definitions  the values that come out
"""

from .build import build_library
from .chapters import may_save
from .definitions import ALL_NAMES, Definition, Library, find_closure
from .expansion import expand_aliases, free_names
from .notebooks import names_used
from .package import package_text

__all__ = [
    "ALL_NAMES",
    "Definition",
    "Library",
    "build_library",
    "expand_aliases",
    "find_closure",
    "free_names",
    "may_save",
    "names_used",
    "package_text",
]
