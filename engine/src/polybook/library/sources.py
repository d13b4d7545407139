"""Edits to the text of one definition; whatever an edit is not about stays as it was written."""

from __future__ import annotations

import ast
import tokenize
from collections.abc import Callable, Iterator, Mapping
from itertools import takewhile

from ..dialect.python import find_tokens, first_line, last_line, may_break_strings

#: A statement that has a body and may have a docstring.
Definable = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

INDENT = "    "


def parse_definition(source: str) -> Definable:
    """Return the function or class that `source` defines."""
    (node,) = ast.parse(source).body
    if not isinstance(node, Definable):
        raise TypeError("neither a function nor a class")
    return node


def is_definable(source: str) -> bool:
    """Return whether `source` is a function or a class."""
    return isinstance(ast.parse(source).body[0], Definable)


def find_span(text: str, node: ast.expr) -> tuple[int, int]:
    """Return where an expression begins and ends in the text that it was parsed from."""
    lines = text.split("\n")

    def offset(line: int, column: int) -> int:
        before = sum(len(each) + 1 for each in lines[: line - 1])
        return before + len(lines[line - 1].encode()[:column].decode(errors="ignore"))

    end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
    return offset(node.lineno, node.col_offset), offset(end_line, end_column)


def add_note(source: str, note: str) -> str:
    """Return a definition with `note`, one line, as the last paragraph of its docstring.

    Where there is no docstring, the note becomes one.
    """
    source, header = _open_body(source)
    node = parse_definition(source)
    docstring = _docstring(node)
    if docstring is None:
        lines = source.split("\n")
        lines.insert(header, _body_indent(source, node) + _literal(note))
        return "\n".join(lines)
    start, end = find_span(source, docstring)
    indent = _body_indent(source, node)
    text = str(docstring.value).rstrip()
    text = f"{text}\n\n{_margin(text, indent)}{note}\n{indent}" if text else note
    return source[:start] + _literal(text, like=source[start:end]) + source[end:]


def remove_decorators(source: str, is_removed: Callable[[ast.expr], bool]) -> str:
    """Return a definition without the decorators that `is_removed` picks."""
    lines = source.split("\n")
    for decorator in reversed(parse_definition(source).decorator_list):
        if is_removed(decorator):
            del lines[decorator.lineno - 1 : decorator.end_lineno]
    return "\n".join(lines)


def merge_members(source: str, members: Mapping[str, str]) -> str:
    """Return a class with more members.

    Args:
        source: The class.
        members: Name and text of each; one that the class body defines already is replaced.
    """
    if not members:
        return source
    source, _ = _open_body(source)
    node = parse_definition(source)
    indent = _body_indent(source, node)
    lines = source.split("\n")
    texts = {name: _indented(text, indent) for name, text in members.items()}
    present = [child for child in node.body if isinstance(child, Definable) and child.name in texts]
    earlier = {child.name: child for child in reversed(present)}
    for child in reversed(present):
        start = first_line(child) - 1
        if earlier[child.name] is child:
            lines[start : last_line(child)] = [texts[child.name]]
            continue
        while not lines[start - 1].strip():
            start -= 1
        del lines[start : last_line(child)]
    added = [text for name, text in texts.items() if name not in earlier]
    return "\n\n".join(["\n".join(lines), *added])


def _docstring(node: Definable) -> ast.Constant | None:
    match node.body[0]:
        case ast.Expr(value=ast.Constant(value=str()) as docstring):
            return docstring
    return None


def _literal(text: str, like: str = '"""') -> str:
    """Return `text` as a triple-quoted string, a raw one if `like` is raw and it can be."""
    if like[0] in "rR":
        raw = f'{like[0]}"""{text}"""'
        if '"""' not in text and not text.endswith(("\\", '"')):
            return raw
    visible = "".join(
        ascii(character)[1:-1] if character < " " and character != "\n" else character
        for character in text.replace("\\", "\\\\")
    )
    return '"""' + visible.replace('"""', '\\"\\"\\"') + '"""'


def _margin(docstring: str, default: str) -> str:
    """Return the blanks before the lines of a docstring, those of the least indented one."""
    lines = (line for line in docstring.split("\n")[1:] if line.strip())
    return min((line[: len(line) - len(line.lstrip())] for line in lines), key=len, default=default)


def _body_indent(source: str, node: Definable) -> str:
    line = source.split("\n")[first_line(node.body[0]) - 1]
    return line[: len(line) - len(line.lstrip())]


def _open_body(source: str) -> tuple[str, int]:
    """Return a definition whose body stands on lines of its own, and the line its header ends on."""
    body = parse_definition(source).body[0]
    lines = source.split("\n")
    before = lines[body.lineno - 1].encode()[: body.col_offset].decode()
    start = (first_line(body), len(before))
    above = takewhile(lambda token: token.start < start, find_tokens(source))
    line, column = max(token.start for token in above if token.string == ":")
    header, rest = lines[line - 1][: column + 1], lines[line - 1][column + 1 :].strip()
    if rest and not rest.startswith("#"):
        lines[line - 1 : line] = [header, INDENT + rest]
    return "\n".join(lines), line


def _indented(source: str, indent: str) -> str:
    """Return a definition moved right; lines inside strings stay, except those of docstrings."""
    kept = frozenset(_lines_inside_strings(source))
    return "\n".join(
        indent + line if line.strip() and number not in kept else line
        for number, line in enumerate(source.split("\n"), start=1)
    )


def _lines_inside_strings(source: str) -> Iterator[int]:
    """Yield the lines that begin inside a string that is no docstring."""
    if not may_break_strings(source):
        return
    definitions = (node for node in ast.walk(ast.parse(source)) if isinstance(node, Definable))
    docstrings = {(found.lineno, found.col_offset) for node in definitions if (found := _docstring(node))}
    for start, end in _strings(source):
        if start not in docstrings:
            yield from range(start[0] + 1, end[0] + 1)


def _strings(source: str) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Yield where each string begins and ends."""
    begun: list[tuple[int, int]] = []
    for token in find_tokens(source):
        match tokenize.tok_name[token.type]:
            case "STRING":
                yield token.start, token.end
            case "FSTRING_START":  # f-strings are several tokens from Python 3.12 on
                begun.append(token.start)
            case "FSTRING_END":
                yield begun.pop(), token.end
