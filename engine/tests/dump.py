"""A chapter as a few lines of text, and files of examples: what the dialect's tests and its page compare.

A dump has one line a block, `kind line: what it says`, and the marks about a block below it; the line is
that of the first character which is no blank. Roles stand in braces, slide marks are bold, what readers
never see is gone, and so are blank lines.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from polybook.dialect import (
    Element,
    Role,
    find_elements,
    find_saved_statements,
    parse,
    replace_roles,
    split_setup,
    split_tab_marks,
)
from polybook.frameworks import code_for
from polybook.model import (
    Block,
    Cell,
    Comment,
    Fence,
    Figure,
    Heading,
    Mark,
    Math,
    Prose,
    TabBegin,
    TabEnd,
    Table,
)


def dump(text: str) -> str:
    """Return the blocks of a chapter, one a line."""
    return "\n".join(line for element in find_elements(parse(text).blocks) for line in _lines(element))


def dump_code(text: str, framework: str, default: str) -> str:
    """Return the code that a chapter has for a framework, a blank line between cells."""
    codes = (code_for(cell, framework, default) for cell in parse(text).cells)
    return "\n\n".join(code for code in codes if code)


def _lines(element: Element) -> Iterator[str]:
    says = _SAYS[type(element.block)](element.block)
    if says is None:
        return
    yield _line(element.block, says)
    for mark in element.marks:
        yield "  " + _line(mark, _SAYS[Mark](mark))


def _line(block: Block, says: str) -> str:
    kind = block.name if isinstance(block, Mark) else _KINDS.get(type(block), type(block).__name__.lower())
    blanks = block.source[: len(block.source) - len(block.source.lstrip())]
    place = f"{kind} {block.line + blanks.count(chr(10))}"
    return f"{place}: {says}" if says else place


def _inline(text: str) -> str:
    def braces(role: Role) -> str:
        return f"{{{role.name} {', '.join(role.keys)}}}"

    return replace_roles(text, braces).strip().replace("\r", "\\r").replace("\n", "\\n")


def _cell(cell: Cell) -> str:
    names, code = split_tab_marks(cell.code)
    libraries, _ = split_setup(code)
    saved = [each.source.split("\n")[0] or "nothing" for each in find_saved_statements(cell.code)]
    facts = {
        "tabs": ", ".join(names) if names is not None else "none",
        "installs": ", ".join(libraries),
        "saves": ", ".join(f"`{line}`" for line in saved),
        "never closed": "" if cell.closed else "yes",
    }
    return "; ".join(f"{name} {fact}" for name, fact in facts.items() if fact)


def _fence(fence: Fence) -> str:
    return f"`{fence.info}`" + ("" if fence.closed else ", never closed")


_KINDS: dict[type[Block], str] = {TabBegin: "begin_tab", TabEnd: "end_tab"}
_SAYS: dict[type[Block], Callable[..., str | None]] = {
    Cell: _cell,
    Comment: lambda block: "",
    Fence: _fence,
    Figure: lambda block: f"{block.path}, {_inline(block.caption) or 'no caption'}",
    Heading: lambda block: f"{'#' * block.level} {_inline(block.title)}",
    Mark: lambda block: block.value,
    Math: lambda block: _inline(block.tex),
    Prose: lambda block: _inline(block.source) or None,
    TabBegin: lambda block: ", ".join(block.frameworks),
    TabEnd: lambda block: "",
    Table: lambda block: f"{len(block.rows.splitlines())} rows, {_inline(block.caption) or 'no caption'}",
}


def read_examples(path: Path, parts: int) -> list[tuple[str, ...]]:
    """Return the examples of a fixture file: a title and its parts, each ended by a line with a dot.

    Characters that an editor does not show are written `{\\r}`, `{\\t}`, `{\\x0c}` and `{\\u2028}`.
    """
    pieces = re.split(r"(?m)^\.\n", path.read_text(encoding="utf-8"))
    if len(pieces) % (parts + 1) != 1 or pieces[-1].strip():
        raise ValueError(f"{path}: an example is a title and {parts} parts, each ended by a line `.`")
    examples = zip(*[iter(pieces)] * (parts + 1), strict=False)
    return [(title.strip(), *map(_unescape, texts)) for title, *texts in examples]


def _unescape(text: str) -> str:
    for escape in ("\\r", "\\x0c", "\\u2028", "\\t"):
        text = text.replace(f"{{{escape}}}", escape.encode().decode("unicode_escape"))
    return text
