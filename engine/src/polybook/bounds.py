"""Bounds that an author sets for a result: `< 9`."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass

_RELATIONS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_BOUND = re.compile(r"\s*(?P<relation>[<>]=?)\s*(?P<limit>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*")


@dataclass(frozen=True, slots=True)
class Bound:
    """What a number has to satisfy; its text is how it is written."""

    #: `<`, `<=`, `>` or `>=`.
    relation: str
    #: What the number is compared with.
    limit: float

    def holds(self, value: float | None) -> bool:
        """Return whether a number satisfies the bound; `None`, which stands for inf and nan, never does."""
        return value is not None and bool(_RELATIONS[self.relation](value, self.limit))

    def __str__(self) -> str:
        return f"{self.relation} {self.limit:g}"


def read_bound(text: str) -> Bound | None:
    """Return the bound that a text such as `< 9` states, or `None` where it states none."""
    match = _BOUND.fullmatch(text)
    return Bound(match["relation"], float(match["limit"])) if match else None
