"""From text to blocks, losslessly.

`RULES` is an ordered table. A rule has a pattern that recognises the beginning of its block at the
start of a line, and a function that makes the block. The driver knows none of them: it looks for
the next place where any rule begins and calls everything before it prose.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

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
_MARK = r":(?P<mark_name>label|eqlabel|width|height|bibliography):[ \t]*`(?P<value>[^`\n]*)`"
_MARK_LOOKAHEAD = r"(?=:(?:label|eqlabel|width|height|bibliography):)"


def _through_line_end(text: str, position: int) -> int:
    """Return the position after the line end that follows, blanks between allowed."""
    end = text.find("\n", position)
    if end < 0:
        end = len(text)
        return end if not text[position:end].strip() else position
    return end + 1 if not text[position:end].strip() else position


def _fence(text: str, match: re.Match[str], line: int) -> tuple[Block, int] | None:
    ticks, info = match["ticks"], match["info"].strip()
    body_start = match.end() + 1
    closing = _closing_fence(ticks[0], len(ticks)).search(text, match.end())
    if closing is None:
        body, end = text[body_start:], len(text)
    else:
        body, end = text[body_start : closing.start()], _through_line_end(text, closing.end())
    source = text[match.start() : end]
    if re.match(r"\{\s*\.python\b[^}\n]*\.input\b[^}\n]*\}$", info):
        code = body.replace("\r\n", "\n")
        return Cell(line, source, info[1:-1].strip(), code, closing is not None), end
    return Fence(line, source, info, body, closing is not None), end


_CLOSING_FENCES: dict[tuple[str, int], re.Pattern[str]] = {}


def _closing_fence(tick: str, count: int) -> re.Pattern[str]:
    """Return the pattern of the fence that closes one of `count` ticks; compiled once each."""
    key = (tick, count)
    if key not in _CLOSING_FENCES:
        _CLOSING_FENCES[key] = re.compile(rf"^[ \t]*{tick}{{{count},}}{_END}", re.MULTILINE)
    return _CLOSING_FENCES[key]


def _comment(text: str, match: re.Match[str], line: int) -> tuple[Block, int] | None:
    end = text.find("-->", match.end())
    if end < 0:
        return None
    end = _through_line_end(text, end + 3)
    return Comment(line, text[match.start() : end]), end


def _tab_begin(text: str, match: re.Match[str], line: int) -> tuple[Block, int] | None:
    frameworks = tuple(re.findall(r"[^\s,]+", match["tabs"]))
    end = _through_line_end(text, match.end())
    return TabBegin(line, text[match.start() : end], frameworks), end


def _tab_end(text: str, match: re.Match[str], line: int) -> tuple[Block, int] | None:
    end = _through_line_end(text, match.end())
    return TabEnd(line, text[match.start() : end]), end


_MATH = re.compile(
    r"[ \t]*(?:[(\[]\*\*)?\$\$(?P<tex>(?:[^$\\\n]|\\.|\$(?!\$)|\\?\n(?![ \t\r]*\n))+?)\$\$(?:\*\*[)\]])?"
    rf"[ \t\r]*(?:$|{_MARK_LOOKAHEAD})",
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
    end = _through_line_end(text, match.end())
    title = re.sub(r"[ \t]+#+$", "", match["title"].strip())
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


def _mark(text: str, match: re.Match[str], line: int) -> tuple[Block, int] | None:
    end = _through_line_end(text, match.end())
    return Mark(line, text[match.start() : end], match["mark_name"], match["value"].strip()), end


_CAPTION_LINE = r"[ \t]*:(?![a-z_]+:)[^\s:][^\n]*\n"
_ROW = r"[^\n]*\|[^\n]*"
_CAPTION_TEXT = r"(?:[^\[\]\n]|\\[\[\]]|\[[^\[\]\n]*\](?:\([^()\s]*\))?|\n(?![ \t\r]*\n))*"

RULES = (
    Rule("fence", r"[ \t]*(?P<ticks>`{3,}|~{3,})(?P<info>[^`\n]*)$", _fence),
    Rule("heading", rf"[ ]{{0,3}}(?P<hashes>\#{{1,6}})[ \t]+(?P<title>[^\n]*?)(?:{_END}|{_MARK_LOOKAHEAD})", _heading),
    Rule("math", r"[ \t]*(?:[(\[]\*\*)?\$\$", _math),
    Rule("mark", rf"[ \t]*{_MARK}", _mark),
    Rule("tab_begin", rf"[ \t]*:begin_tab:[ \t]*`(?P<tabs>[^`\n]*)`{_END}", _tab_begin),
    Rule("tab_end", rf"[ \t]*:end_tab:{_END}", _tab_end),
    Rule(
        "figure",
        rf"[ \t]*!\[(?P<caption>{_CAPTION_TEXT})\]\((?P<image>[^()\s]+)(?:[ \t]+\"[^\"\n]*\")?\)"
        rf"(?:{_END}|[ \t]*{_MARK_LOOKAHEAD})",
        _figure,
    ),
    Rule("comment", r"[ \t]*<!--", _comment),
    Rule(
        "table",
        rf"(?P<above>{_CAPTION_LINE}(?:[ \t\r]*\n)?)?"
        rf"(?P<rows>{_ROW}\n(?=[^\n]*\|)[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?{_END}(?:\n{_ROW}$)*)"
        rf"(?P<below>\n{_CAPTION_LINE.removesuffix(chr(92) + 'n')}$)?",
        _table,
    ),
    Rule("setext", rf"(?P<over>[^\s#>|`:!$<~*+-][^\n]*)\n(?P<underline>=+|-{{2,}}){_END}", _setext),
)

_BEGIN = re.compile(
    "^(?:" + "|".join(f"(?P<{rule.name}>{rule.pattern})" for rule in RULES) + ")", re.MULTILINE
)
_MAKE_BY_GROUP = {_BEGIN.groupindex[rule.name]: rule.make for rule in RULES}
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
    while match := _BEGIN.search(text, scan):
        start = match.start()
        start_line = line + text.count("\n", done, start)
        made = _MAKE_BY_GROUP[match.lastindex](text, match, start_line)
        if made is None:
            scan = text.find("\n", start) + 1
            if not scan:
                break
            continue
        if start > done:
            yield Prose(line, text[done:start])
        block, end = made
        yield block
        line = start_line + block.source.count("\n")
        while end < len(text) and text[end - 1] != "\n" and (mark := _MARK_IN_LINE.match(text, end)):
            block, end = _mark(text, mark, line) or (block, end)
            yield block
            line += block.source.count("\n")
        done = scan = end
    if done < len(text):
        yield Prose(line, text[done:])
