"""Looking at results: whether they are what the author expects, and whether two runs gave the same."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from difflib import unified_diff
from itertools import zip_longest
from typing import Any

from .bounds import Bound
from .diagnostics import Code, Diagnostic
from .outputs import IMAGES, SVG, CellResult, Output, Record

#: The path of a file and a line in it.
Place = tuple[str, int]

#: The numbers behind a plot: `{"curves": [{"name": ..., "x": [...], "y": [...]}]}`.
CURVES = "application/vnd.d2l.curves+json"
#: By how much, relatively, a number may differ between two runs of the same code.
TOLERANCE = 0.05

_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?")
#: How long something took, how fast it went, and when: `0.3 s`, `1min 20s`, `9000.5 tokens/sec`, `12:30:01`.
_TIME = re.compile(
    r"(?<![\w.])(?:\d+(?:\.\d*)?(?:e[-+]?\d+)?"
    r"(?: ?\w+/s(?:ec(?:ond)?)?|min|h| ?(?:[nµμm]?s|sec|seconds?|minutes?))"  # mu, and micro
    r"|\d\d?:\d\d(?::\d\d(?:\.\d+)?)?|\d{4}-\d\d-\d\d)(?!\w)",
    re.IGNORECASE,
)
#: What it ran on, as the frameworks call it: `cuda:0`, `gpu(0)`, `/device:GPU:0`, `CudaDevice(id=0)`.
_DEVICE = re.compile(
    r"(?<!\w)(?:device\(type='\w+'(?:, index=\d+)?\)|\w+Device\(id=\d+\)"
    r"|(?:/\w+:\w+)*/?(?:\w*device:)?(?:cpu|cuda|gpu|mps)(?::\d+|\(\d+\))?)(?!\w)",
    re.IGNORECASE,
)
_TRACEBACK = re.compile(r"^Traceback \(most recent call last\):$", re.MULTILINE)
_INTEGER = re.compile(r"[-+]?\d+")
#: What lines are compared by: a device, a time, a number or any other character.
_TOKEN = re.compile(f"{_DEVICE.pattern}|{_TIME.pattern}|{_NUMBER.pattern}|.", re.IGNORECASE | re.DOTALL)
_LONGEST_QUOTE = 60
#: How many characters of a quote stand before what differs.
_LEAD = 20
#: How long the lines of a diff are, and how many there are at the most.
_WIDTH, _LONGEST_DIFF = 100, 40


# What the author expects


def check_record(
    record: Record, expect: Mapping[str, Bound], places: Sequence[Place], training: Container[int] = ()
) -> Iterator[Diagnostic]:
    """Yield what is wrong with results: error messages, plots that are missing or empty, bounds not met.

    Args:
        record: The results.
        expect: What the last value of each curve of a name has to satisfy.
        places: Where each cell stands, for messages.
        training: The numbers of the cells that train, from 0; each has to leave a plot of curves.
    """
    framework = record.provenance.framework
    for number, (cell, place) in enumerate(zip(record.cells, places, strict=True), 1):
        where = f"cell {number} in {framework}"
        if number - 1 in training and not any(map(is_plot, cell.outputs)):
            what, advice = f"The training in {where} left no plot of its curves.", "Draw what the run gives."
            yield Diagnostic(*place, Code.NO_PLOT, what, advice)
        if any(map(_is_error, cell.outputs)):
            what, advice = f"The result of {where} is an error message.", "Mend the cell and run it again."
            yield Diagnostic(*place, Code.ERROR_IN_RESULT, what, advice)
        if any(is_plot_without_data(output) for output in cell.outputs):
            what, advice = f"A plot of {where} has a curve without data.", "Draw what the run gives."
            yield Diagnostic(*place, Code.PLOT_WITHOUT_DATA, what, advice)
    for name, bound in expect.items():
        yield from _unmet(record, name, bound, places)


def _is_error(output: Output) -> bool:
    is_stderr = output["output_type"] == "stream" and output["name"] == "stderr"
    return is_stderr and _TRACEBACK.search(output["text"]) is not None


def is_plot(output: Output) -> bool:
    """Return whether an output is a plot of curves."""
    return CURVES in output.get("data", {})


def is_plot_without_data(output: Output) -> bool:
    """Return whether an output is a plot that has a curve without data, or no curve at all."""
    if not is_plot(output):
        return False
    curves = _curves(output)
    return not curves or not all(any(value is not None for value in curve) for _, curve in curves)


def _unmet(record: Record, name: str, bound: Bound, places: Sequence[Place]) -> Iterator[Diagnostic]:
    framework, advice = record.provenance.framework, "Mend the code, or the bound in `_config.yml`."
    ends = [
        (place, end)
        for cell, place in zip(record.cells, places, strict=True)
        for curve, end in _ends(cell)
        if curve == name
    ]
    for place, end in ends:
        if not bound.holds(end):
            what = f"`{name}` ends at {_short(end)} in {framework}; `expect` says {bound}."
            yield Diagnostic(*place, Code.BOUND_NOT_MET, what, advice)
    if not ends:
        what = f"No plot in {framework} has a curve `{name}`; `expect` says that it ends {bound}."
        yield Diagnostic(places[0][0], 0, Code.BOUND_NOT_MET, what, advice)


# The numbers behind a plot


def _curves(output: Output) -> list[tuple[str, list[float | None]]]:
    """Return the curves that an output draws, each a name and its values."""
    plot: Any = output.get("data", {}).get(CURVES)
    curves = plot.get("curves") if isinstance(plot, Mapping) else None
    known = [curve for curve in curves or () if isinstance(curve, Mapping)]
    return [(str(curve.get("name", "")), list(curve.get("y") or ())) for curve in known]


def _ends(cell: CellResult) -> list[tuple[str, float | None]]:
    """Return the last value of every curve that a cell draws."""
    curves = (curve for output in cell.outputs for curve in _curves(output))
    return [(name, values[-1] if values else None) for name, values in curves]


def _short(value: float | None) -> str:
    return "no finite number" if value is None else f"{value:.4g}"


# Two runs of the same code


def compare_records(old: Record, new: Record, places: Sequence[Place]) -> list[Diagnostic]:
    """Return where a rerun gave another result: one finding for each cell, with what changed first.

    Text must be the same up to its numbers, which may differ by the tolerance, as may the ends of curves.
    Times and the names of devices may be any.
    An image that comes with curves is compared by them, a drawing in SVG by its text, any other by its bytes.
    """
    found = []
    for number, (before, now, place) in enumerate(zip(old.cells, new.cells, places, strict=True), 1):
        changes = list(_changes(before.outputs, now.outputs))
        if changes:
            more = f" (and {len(changes) - 1} more)" if changes[1:] else ""
            where = f"Cell {number} in {new.provenance.framework}"
            what = f"{where} gave another result than the stored one: {changes[0]}{more}."
            advice = "Look why; `--accept` stores it."
            found.append(Diagnostic(*place, Code.RESULT_DIFFERS, what, advice))
    return found


def diff_records(old: Record, new: Record) -> str:
    """Return a unified diff of the first outputs that differ, without what may; empty where none do."""
    for number, (before, now) in enumerate(zip(old.cells, new.cells, strict=True), 1):
        if not any(_changes(before.outputs, now.outputs)):
            continue
        stored, given = (list(_lines(cell.outputs)) for cell in (before, now))
        pairs = zip(given, stored, strict=False)
        given[: len(stored)] = [was if _is_alike(was, line) else line for line, was in pairs]
        where = f"cell {number} in {new.provenance.framework}"
        old_lines, new_lines = ([part for line in lines for part in _cut(line)] for lines in (stored, given))
        names = (f"{where}, as stored", f"{where}, now")
        diff = list(unified_diff(old_lines, new_lines, names[0], names[1], n=1, lineterm=""))
        more = len(diff) - _LONGEST_DIFF
        return "\n".join([*diff[:_LONGEST_DIFF], *([f"... {more} more lines"] if more > 0 else [])])
    return ""


def _lines(outputs: Sequence[Output]) -> Iterator[str]:
    """Yield outputs as lines that can be compared: text, the ends of curves, the digests of other images."""
    for output in outputs:
        curves = _curves(output)
        yield from (f"{name} ends at {_short(values[-1] if values else None)}" for name, values in curves)
        if is_plot(output):
            continue
        yield from _text(output).rstrip("\n").split("\n")
        for mime in IMAGES.keys() & output.get("data", {}).keys():
            yield f"{mime} {hashlib.sha256(output['data'][mime].encode()).hexdigest()[:8]}"


def _cut(line: str) -> list[str]:
    return [line[start : start + _WIDTH] for start in range(0, len(line) or 1, _WIDTH)]


def _changes(old: Sequence[Output], new: Sequence[Output]) -> Iterator[str]:
    for before, now in zip_longest(old, new, fillvalue={"output_type": "nothing"}):
        kinds = [_kind(before), _kind(now)]
        if kinds[0] != kinds[1]:
            yield f"{kinds[0]} became {kinds[1]}"
        elif CURVES in before.get("data", {}):
            yield from _curve_changes(before, now)
        else:
            yield from _text_changes(_text(before), _text(now))
            yield from _image_changes(before, now)


def _kind(output: Output) -> str:
    """Return what sort of output it is: `stdout`, `text/plain`, `image/svg+xml and text/plain`, ..."""
    return output.get("name") or " and ".join(sorted(output.get("data", ()))) or output["output_type"]


def _text(output: Output) -> str:
    """Return the text of an output, formats that are no text but values included."""
    data = output.get("data", {})
    parts = [value for mime, value in sorted(data.items()) if mime.startswith("text/")]
    parts += [repr(value) for mime, value in sorted(data.items()) if mime.endswith("json")]
    return "\n".join([output.get("text", ""), *parts])


def _curve_changes(old: Output, new: Output) -> Iterator[str]:
    nothing: tuple[str, list[float | None]] = ("nothing", [])
    pairs = zip_longest(_curves(old), _curves(new), fillvalue=nothing)
    for (old_name, before), (new_name, now) in pairs:
        ends = [values[-1] if values else None for values in (before, now)]
        if old_name != new_name:
            yield f"the curve {old_name} became {new_name}"
        elif not _is_close(*ends):
            yield f"{old_name} ended at {_short(ends[0])} and ends at {_short(ends[1])} now"


def _text_changes(old: str, new: str) -> Iterator[str]:
    for before, now in zip_longest(old.split("\n"), new.split("\n"), fillvalue=""):
        if not _is_alike(before, now):
            yield "`{}` became `{}`".format(*_quotes(before.strip(), now.strip()))


def _image_changes(old: Output, new: Output) -> Iterator[str]:
    for mime in IMAGES.keys() & old.get("data", {}).keys():
        before, now = old["data"][mime], new["data"][mime]
        if before != now and (mime != SVG or any(_text_changes(before, now))):
            yield f"the image, {mime}, changed"


def _is_alike(old: str, new: str) -> bool:
    """Return whether two lines are the same up to times, devices and small differences of numbers.

    Numbers that are whole in both are counts, which are to be the same.
    """
    if old == new:
        return True
    lines = [_DEVICE.sub("(device)", _TIME.sub("(time)", line)) for line in (old, new)]
    same_words = len({_NUMBER.sub("0", line) for line in lines}) == 1
    return same_words and all(map(_is_same_number, *map(_NUMBER.findall, lines)))


def _is_same_number(old: str, new: str) -> bool:
    if _INTEGER.fullmatch(old) and _INTEGER.fullmatch(new):
        return old == new
    return _is_close(float(old), float(new))


def _is_close(old: float | None, new: float | None) -> bool:
    if old is None or new is None:
        return old is new
    return math.isclose(old, new, rel_tol=TOLERANCE)


def _quotes(old: str, new: str) -> tuple[str, str]:
    """Return two lines that differ, cut around the first place where they do."""
    places = (
        [match.start() for match in _TOKEN.finditer(old)],
        [match.start() for match in _TOKEN.finditer(new)],
    )
    tokens = zip_longest(_TOKEN.findall(old), _TOKEN.findall(new), fillvalue="")
    number = next((number for number, pair in enumerate(tokens) if not _is_alike(*pair)), 0)
    starts = (own[min(number, len(own) - 1)] if own else 0 for own in places)
    first, second = (_quote(line, start) for line, start in zip((old, new), starts, strict=True))
    return first, second


def _quote(line: str, place: int) -> str:
    """Return a line, or what stands around a place in it."""
    if len(line) <= _LONGEST_QUOTE:
        return line
    start = max(0, min(place - _LEAD, len(line) - _LONGEST_QUOTE))
    end = start + _LONGEST_QUOTE
    return f"{'...' * (start > 0)}{line[start:end]}{'...' * (end < len(line))}"
