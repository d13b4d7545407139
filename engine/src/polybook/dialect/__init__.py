"""The dialect of *Dive into Deep Learning* style Markdown notebooks, as `docs/dialect.md` has it.

blocks      text -> blocks that join to the text
structure   which marks belong to which block
roles       roles, slide marks and comments inside prose
cells       tab marks, save marks and set-up lines inside code
decisions   `tab.selected(...)` inside code
"""

from .blocks import parse
from .cells import find_saved_statements, replace_code, split_setup, split_tab_marks, strip_save_marks
from .decisions import prune
from .roles import Role, find_roles, replace_roles
from .structure import Element, find_elements

__all__ = [
    "Element",
    "Role",
    "find_elements",
    "find_roles",
    "find_saved_statements",
    "parse",
    "prune",
    "replace_code",
    "replace_roles",
    "split_setup",
    "split_tab_marks",
    "strip_save_marks",
]
