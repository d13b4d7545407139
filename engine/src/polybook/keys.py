"""The key of an execution: a pure function of everything that can change what a run prints.

Language, prose, comments, layout and file times are not in it, so a prose edit runs nothing and one run
serves every language.
"""

from __future__ import annotations

import hashlib
import json
import tokenize
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache

from .dialect.python import find_tokens, without_comments

#: Counted up when polybook runs the same code in a way that gives other results.
EXECUTION_VERSION = 1

_LAYOUT = frozenset(
    {
        tokenize.COMMENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
        tokenize.INDENT,
        tokenize.NEWLINE,
        tokenize.NL,
    }
)


@dataclass(frozen=True, slots=True)
class KeyParts:
    """What a key is made of, kept apart so that a change can be named."""

    #: The framework's name in tab marks.
    framework: str
    #: The framework's public version.
    version: str
    #: The digest of each code cell, in the order they run.
    cells: tuple[str, ...]
    #: The digest of each library definition that the cells use, directly or not, by name.
    definitions: Mapping[str, str]
    #: The SHA-1 of each data file that the run reads, by name; `None` for one it looks for in vain.
    data: Mapping[str, str | None]
    #: The way of running cells that the results come from.
    execution: int = EXECUTION_VERSION

    @property
    def key(self) -> str:
        """The key, a SHA-256 in hexadecimal."""
        return hashlib.sha256(canonical_json(asdict(self))).hexdigest()


@cache
def digest_code(code: str) -> str:
    """Return a digest of what code does: comments and layout leave it as it is.

    A semicolon that ends a cell stays in, because IPython shows no result there.
    """
    text = without_comments(code) + (";" if _ends_in_semicolon(code) else "")
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def canonical_json(value: object) -> bytes:
    """Return a value as the one JSON text that stands for it in digests."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode(errors="surrogatepass")


#: Why something runs whose key says nothing: of which nothing is stored, or that ran elsewhere.
NEVER_RUN = "It has never been run."
ON_PROCESSOR = "It needs a GPU now; its result is from a processor."
DAMAGED = "Its stored result is damaged."


def explain(old: KeyParts | None, new: KeyParts) -> str:
    """Return one sentence that names what changed between two keys.

    Args:
        old: The parts that the stored results have, `None` where nothing is stored.
        new: The parts that the chapter has now.
    """
    if old is None:
        return NEVER_RUN
    clauses = "; ".join(_changes(old, new)) or "nothing changed"
    return f"{clauses[0].upper()}{clauses[1:]}."


def _changes(old: KeyParts, new: KeyParts) -> Iterator[str]:
    if old.execution != new.execution:
        yield "the way that polybook runs cells changed"
    if old.framework != new.framework:
        yield f"the framework is {new.framework} now, it was {old.framework}"
    if old.version != new.version:
        yield f"the version of {new.framework} is {new.version} now, it was {old.version}"
    yield from _cell_changes(old.cells, new.cells)
    yield from _named_changes("definition", old.definitions, new.definitions)
    yield from _named_changes("data file", old.data, new.data)


def _cell_changes(old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    if old == new:
        return
    if Counter(old) == Counter(new):
        yield "the order of the cells changed"
        return
    from difflib import SequenceMatcher  # noqa: PLC0415  # slow to import

    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for verb, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        replaced = min(old_end - old_start, new_end - new_start) if verb == "replace" else 0
        if verb != "equal":
            yield from _clause(range(new_start, new_start + replaced), "changed", "changed")
            yield from _clause(range(new_start + replaced, new_end), "is new", "are new")
            yield from _clause(range(old_start + replaced, old_end), "is gone", "are gone")


def _clause(indices: range, one: str, many: str) -> Iterator[str]:
    """Yield what happened to some cells that follow each other, or nothing for no cells."""
    if len(indices) == 1:
        yield f"cell {indices[0] + 1} {one}"
    elif indices:
        yield f"cells {indices[0] + 1} to {indices[-1] + 1} {many}"


def _named_changes(noun: str, old: Mapping[str, str | None], new: Mapping[str, str | None]) -> Iterator[str]:
    for name in sorted(old.keys() | new.keys()):
        if name not in old:
            yield f"{noun} `{name}` is used now"
        elif name not in new:
            yield f"{noun} `{name}` is no longer used"
        elif old[name] is None and new[name] is not None:
            yield f"{noun} `{name}` is there now"
        elif old[name] != new[name]:
            yield f"{noun} `{name}` changed"


def _ends_in_semicolon(code: str) -> bool:
    if ";" not in code:
        return False
    texts = [token.string for token in find_tokens(code) if token.type not in _LAYOUT]
    return texts[-1:] == [";"]
