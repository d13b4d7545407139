"""From text to blocks, losslessly.

`RULES` is an ordered table. A rule has a pattern that recognises the beginning of its block at the
start of a line, and a function that makes the block. The driver knows none of them: it looks for
the next place where any rule begins and calls everything before it prose.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

from ..model import (
    Block,
    Cell,
    Comment,
    Document,
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

#: Makes a block and says where it ends, or `None` where the rule does not hold after all.
Make = Callable[[str, re.Match[str], int], tuple[Block, int] | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """One construct that begins a line."""

    #: The pattern's group name in the combined pattern.
    name: str
    #: What the line looks like; a line's start is implied.
    pattern: str
    #: Makes the block from the match.
    make: Make


#: The end of a line's content: blanks, and the carriage return of a CRLF file.
_END = r"[ \t\r]*$"
_REST = re.compile(r"[^\S\n]*(?:\n|\Z)")
_MARK = r":(?P<mark_name>label|eqlabel|width|height|bibliography):[ \t]*`(?P<value>[^`\n]*)`"
_BEFORE_MARK = r"(?=[ \t]*:(?:label|eqlabel|width|height|bibliography):)"


def _through_line_end(text: str, position: int) -> int:
    """Return the position after the line end that follows, blanks between allowed."""
    rest = _REST.match(text, position)
    return rest.end() if rest else position


def _fence(text: str, match: re.Match[str], line: int) -> tuple[Block, int] | None:
    ticks, info = match["ticks"], match["info"].strip()
    body_start = match.end() + 1
    closing = _closing_fence(ticks[0], len(ticks)).search(text, match.end())
    if closing is None:
        body, end = text[body_start:], len(text)
    else:
        body, end = text[body_start : closing.start()], _through_line_end(text, closing.end())
    source = text[match.start() : end]
    if info.startswith("{") and info.endswith("}") and {".python", ".input"} <= set(info[1:-1].split()):
        code = body.replace("\r\n", "\n")
        if match["indent"]:
            code = re.sub(rf"^[ \t]{{1,{len(match['indent'])}}}", "", code, flags=re.MULTILINE)
        return Cell(line, source, info[1:-1].strip(), code, closing is not None), end
    return Fence(line, source, info, body, closing is not None), end


@cache
def _closing_fence(tick: str, count: int) -> re.Pattern[str]:
    """Return the pattern of the fence that closes one of `count` ticks."""
    return re.compile(rf"^[ \t]*{tick}{{{count},}}{_END}", re.MULTILINE)


def _comment(text: str, match: re.Match[str], line: int) -> tuple[Block, int] | None:
    if match.end() > _last_comment_end(text):
        return None
    end = _through_line_end(text, text.find("-->", match.end()) + 3)
    return Comment(line, text[match.start() : end]), end


@lru_cache(maxsize=1)
def _last_comment_end(text: str) -> int:
    """Return where the last comment ends, so that of many that never end none is looked for to the end."""
    return text.rfind("-->")


def _tab_begin(text: str, match: re.Match[str], line: int) -> tuple[Block, int] | None:
    frameworks = tuple(re.findall(r"[^\s,`]+", match["tabs"]))
    end = _through_line_end(text, match.end())
    return TabBegin(line, text[match.start() : end], frameworks), end


def _tab_end(text: str, match: re.Match[str], line: int) -> tuple[Block, int] | None:
    end = _through_line_end(text, match.end())
    return TabEnd(line, text[match.start() : end]), end


_MATH = re.compile(
    r"[ \t]*(?:[(\[]\*\*)?\$\$(?P<tex>(?:[^$\\\n]|\\.|\$(?!\$)|\\?\n(?![ \t\r]*\n))+?)\$\$(?:\*\*[)\]])?"
    rf"(?:{_END}|{_BEFORE_MARK})",
    re.MULTILINE,
)


def _math(text: str, match: re.Match[str], line: int) -> tuple[Block, int] | None:
    found = _MATH.match(text, match.start())
    if found is None:
        return None
    end = _through_line_end(text, found.end())
    return Math(line, text[match.start() : end], found["tex"].strip()), end


def _figure(text: str, match: re.Match[str], line: int) -> tuple[Block, int] | None:
    end = _through_line_end(text, match.end())
    source = text[match.start() : end]
    return Figure(line, source, match["caption"].strip(), match["image"]), end


def _heading(text: str, match: re.Match[str], line: int) -> tuple[Block, int] | None:
    mark = _MARK_AFTER_TITLE.search(text, *match.span("title"))
    end = mark.start() if mark else _through_line_end(text, match.end())
    title = text[match.start("title") : mark.start() if mark else match.end()].strip()
    without_hashes = title.rstrip("#")
    if without_hashes.endswith((" ", "\t")):
        title = without_hashes.rstrip()
    if not title.strip("#"):
        return None
    return Heading(line, text[match.start() : end], len(match["hashes"]), title), end


def _setext(text: str, match: re.Match[str], line: int) -> tuple[Block, int] | None:
    before = text[max(0, match.start() - 80) : match.start()]
    if match.start() and not re.search(r"\n[ \t\r]*\n\Z", before):
        return None  # the line goes on from a paragraph, so the underline is not its own
    end = _through_line_end(text, match.end())
    level = 1 if match["underline"].startswith("=") else 2
    return Heading(line, text[match.start() : end], level, match["over"].strip()), end


def _table(text: str, match: re.Match[str], line: int) -> tuple[Block, int] | None:
    end = _through_line_end(text, match.end())
    above, rows, below = match["above"], match["rows"], match["below"]
    caption = (above or below or "").strip().removeprefix(":").strip()
    return Table(line, text[match.start() : end], caption, rows), end


def _mark(text: str, match: re.Match[str], line: int) -> tuple[Block, int]:
    end = _through_line_end(text, match.end())
    return Mark(line, text[match.start() : end], match["mark_name"], match["value"].strip()), end


_MARK_AFTER_TITLE = re.compile(rf"(?<![`\S]){_MARK}")
_CAPTION_TEXT = (
    r"(?:[^\[\]\\\n]|\\[^\n]|\[(?:[^\[\]\\\n]|\\[^\n]|\[[^\[\]\n]*\])*+\]"
    r"|\n(?![ \t\r]*\n|[ \t]*!\[))*+"
)
_ROW = r"[^|\n]*\|[^\n]*"
_RULE = r"(?=[^|\n]*\|)[ \t]*+\|?[ \t]*+:?-+:?[ \t]*+(?:\|[ \t]*+:?-+:?[ \t]*+)*+\|?" + _END
_CAPTION_LINE = r"[ \t]*:(?![a-z_]+:)[ \t]*+[^\s:][^\n]*"

RULES = (
    Rule("fence", r"(?P<indent>[ \t]*)(?P<ticks>`{3,}|~{3,})(?P<info>[^`\n]*)$", _fence),
    Rule("heading", r"[ ]{0,3}(?P<hashes>\#{1,6})[ \t]+(?P<title>[^\n]*)", _heading),
    Rule("math", r"[ \t]*(?:[(\[]\*\*)?\$\$", _math),
    Rule("mark", rf"[ \t]*{_MARK}", _mark),
    Rule("tab_begin", rf"[ \t]*:begin_tab:(?P<tabs>[ \t]*`[^`\n]*`|[^\s`]*){_END}", _tab_begin),
    Rule("tab_end", rf"[ \t]*:end_tab:{_END}", _tab_end),
    Rule(
        "figure",
        rf"[ \t]*!\[(?P<caption>{_CAPTION_TEXT})\]\((?P<image>[^()\s]+)(?:[ \t]+\"[^\"\n]*\")?\)"
        rf"(?:{_END}|{_BEFORE_MARK})",
        _figure,
    ),
    Rule("comment", r"[ \t]*<!--", _comment),
    Rule(
        "table",
        r"(?=[ \t]*:|.*\n[ \t]*[|:-])"  # most lines are none, which this finds out fastest
        rf"(?P<above>{_CAPTION_LINE}\n(?:[ \t\r]*\n)?)?"
        rf"(?P<rows>{_ROW}\n{_RULE}(?:\n{_ROW})*+)"
        rf"(?P<below>\n{_CAPTION_LINE})?",
        _table,
    ),
    Rule(
        "setext",
        r"(?=.*\n[=-])(?!\d+[.)][ \t])(?P<over>[^\s#>|`:!$<~*+-][^\n]*)\n(?P<underline>=+|-{2,})" + _END,
        _setext,
    ),
)

_BEGIN = re.compile(
    "^(?:" + "|".join(f"(?P<{rule.name}>{rule.pattern})" for rule in RULES) + ")", re.MULTILINE
)
_MAKE = {rule.name: rule.make for rule in RULES}
_MARK_IN_LINE = re.compile(rf"[ \t]*{_MARK}")


def parse(text: str, path: str = "") -> Document:
    """Read a chapter. Never raises: what is no construct of the dialect is prose.

    Args:
        text: The chapter, whole.
        path: Where it came from, for messages.

    Returns:
        The document; `model.write(document.blocks) == text` for every text.
    """
    return Document(path, tuple(_blocks(text)))


def _blocks(text: str) -> Iterator[Block]:
    done = 0  # everything before is in a block
    line = 1  # the line of `done`
    scan = 0  # where to look for the next block
    scan_line = 1  # the line of `scan`
    while match := _BEGIN.search(text, scan):
        start = match.start()
        start_line = scan_line + text.count("\n", scan, start)
        made = _MAKE[match.lastgroup or ""](text, match, start_line)
        if made is None:
            scan, scan_line = text.find("\n", start) + 1, start_line + 1
            if not scan:
                break
            continue
        if start > done:
            yield Prose(line, text[done:start])
        block, end = made
        yield block
        line = start_line + block.source.count("\n")
        while end < len(text) and text[end - 1] != "\n" and (mark := _MARK_IN_LINE.match(text, end)):
            block, end = _mark(text, mark, line)
            yield block
            line += block.source.count("\n")
        done, scan, scan_line = end, end, line
    if done < len(text):
        yield Prose(line, text[done:])
