"""The results of a run as values, and the files they are kept in.

A record is one JSON file and, beside it in a folder of the chapter's name, its plots:

    rnn.json
    rnn/4-1-0b1c2d3e.svg    the first plot of the fourth cell; the letters are the start of its digest

A plot that changes gets another name, so the files of an old and a new record never overwrite each other.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any, TypeVar

from .keys import EXECUTION_VERSION, KeyParts, canonical_json, digest_code

#: An output in the form of nbformat 4; `stream`, `display_data` or `execute_result`.
Output = dict[str, Any]

#: Image formats that are kept, the best first, with the suffixes of their files.
IMAGES = {
    "image/svg+xml": "svg",
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
}
#: The device of a run whose framework has no accelerator.
PROCESSOR = "cpu"
#: Images that are text.
SVG = "image/svg+xml"
#: A view of state that lives in a kernel; without the kernel it shows nothing, and its text is of no use.
_WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"

_Kind = TypeVar("_Kind")

_PLOT_NAME = re.compile(rf"\d+-\d+-[0-9a-f]{{8}}\.(?:{'|'.join(IMAGES.values())})")
_STREAMS = ("stdout", "stderr")

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-_])?")
_BACKSPACE = re.compile(r"[^\n\x08]\x08")
_ADDRESS = re.compile(r"(?<=\bat )0x[0-9a-fA-F]{6,}|\b0x7f[0-9a-fA-F]{6,}\b")
_CELL_FILE = re.compile(r"[^\s\"'<>]*\bipykernel_\d+[/\\]\d+\.py")
_PACKAGE_FOLDER = re.compile(r"[^\s\"'<>]*[/\\]site-packages[/\\]")


class BrokenRecordError(ValueError):
    """The files of a record do not hold what was written into them."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where results come from, with nothing in it that differs between two equal runs."""

    #: The framework's name in tab marks.
    framework: str
    #: The framework's public version.
    version: str
    #: The version of Python.
    python: str
    #: `cpu`, or the name of the accelerator.
    device: str
    #: The SHA-1 of each data file that the run read, by name; `None` for one it looked for in vain.
    data: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class CellResult:
    """What one cell gave."""

    #: The digest of the code it came from, as `keys.digest_code` has it.
    digest: str
    #: The outputs, normalised.
    outputs: tuple[Output, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """The results of running a chapter's code for one framework."""

    #: The chapter's path without suffix, relative to the language's folder.
    chapter: str
    #: One result for each code cell, in order.
    cells: tuple[CellResult, ...]
    #: The digests of the library definitions that the code uses, by name.
    definitions: Mapping[str, str]
    #: Where the results come from.
    provenance: Provenance
    #: The way of running cells that the results come from.
    execution: int = EXECUTION_VERSION

    @property
    def parts(self) -> KeyParts:
        """What the record's key is made of."""
        return KeyParts(
            framework=self.provenance.framework,
            version=self.provenance.version,
            cells=tuple(cell.digest for cell in self.cells),
            definitions=self.definitions,
            data=self.provenance.data,
            execution=self.execution,
        )

    @property
    def key(self) -> str:
        """The key of the execution that the results belong to."""
        return self.parts.key


@dataclass(frozen=True, slots=True)
class Results:
    """What is stored of a chapter's run in one framework."""

    #: The record, or `None` where the code has never been run.
    record: Record | None
    #: Whether the record's key is the key of the code as it is now.
    is_fresh: bool


def make_record(
    chapter: str,
    cells: Sequence[str],
    outputs: Sequence[Iterable[Output]],
    definitions: Mapping[str, str],
    provenance: Provenance,
) -> Record:
    """Return the record of a run.

    Args:
        chapter: The chapter's path without suffix, relative to the language's folder.
        cells: The code that was run, cell by cell.
        outputs: What the cells gave, as a kernel sent it.
        definitions: The sources of the library definitions that the cells use, by name.
        provenance: Where the results come from.
    """
    results = zip(map(digest_code, cells), map(normalise, outputs), strict=True)
    digests = {name: digest_code(source) for name, source in definitions.items()}
    return Record(chapter, tuple(CellResult(*result) for result in results), digests, provenance)


# Outputs as a kernel sends them -> outputs as they are kept


def normalise(outputs: Iterable[Output]) -> tuple[Output, ...]:
    """Return a cell's outputs without what differs between two equal runs; a second pass changes nothing.

    Streams between two displays are joined by name, since a kernel sends them in pieces whose order
    depends on the clock. Progress lines are reduced to their last state. Colours, memory addresses, the
    paths of packages, execution counts, display identifiers and metadata other than an image's size go.
    """
    kept = [output for output in map(_normalise_output, _apply_updates(outputs)) if output]
    result: list[Output] = []
    for is_stream, group in groupby(kept, key=lambda output: output["output_type"] == "stream"):
        neighbours = list(group)
        result += _join_streams(neighbours) if is_stream else neighbours
    return tuple(result)


def _apply_updates(outputs: Iterable[Output]) -> list[Output]:
    """Return the outputs with one display for each display identifier, showing what was shown last."""
    result: list[Output] = []
    places: dict[str, int] = {}
    for output in outputs:
        identifier = (output.get("transient") or {}).get("display_id")
        is_update = output["output_type"] == "update_display_data"
        if identifier in places:
            place = places[identifier]
            result[place] = {**output, "output_type": result[place]["output_type"]}
        elif not is_update:  # an update of what was never shown shows nothing
            if identifier:
                places[identifier] = len(result)
            result.append(output)
    return result


def _normalise_output(output: Output) -> Output | None:
    """Return an output in its kept form, or `None` where nothing of it is left."""
    kind = output["output_type"]
    if kind == "stream":
        return {"output_type": kind, "name": output["name"], "text": _text(output["text"])}
    if kind not in {"display_data", "execute_result"}:
        raise ValueError(f"an output of type {kind} is no result")
    if _WIDGET_VIEW in output["data"]:
        return None
    data = {mime: _normalise_value(mime, output["data"][mime]) for mime in _kept_formats(output["data"])}
    metadata = {mime: size for mime in data if (size := _size(output.get("metadata", {}).get(mime)))}
    return _display(kind, data, metadata) if data else None


def _display(kind: str, data: Mapping[str, Any], metadata: Mapping[str, Any]) -> Output:
    """Return displayed data with the fields that nbformat asks for."""
    output: Output = {"output_type": kind, "data": dict(data), "metadata": dict(metadata)}
    return {**output, "execution_count": None} if kind == "execute_result" else output


def _kept_formats(data: Mapping[str, Any]) -> list[str]:
    """Return the formats to keep: text, JSON, and of the images the best."""
    image = next((mime for mime in IMAGES if mime in data), None)
    return [mime for mime in data if mime == image or mime.startswith("text/") or _is_json(mime)]


def _is_json(mime: str) -> bool:
    return mime == "application/json" or (mime.startswith("application/") and mime.endswith("+json"))


def _normalise_value(mime: str, value: Any) -> Any:
    if _is_json(mime):
        return value
    if mime == SVG:
        return _text(value).replace("\r\n", "\n")
    if mime in IMAGES:
        return base64.b64encode(base64.b64decode(_text(value))).decode()
    return _clean(_text(value))


def _text(value: str | list[str]) -> str:
    """Return the text of a field that nbformat allows to be a list of lines."""
    text = value if isinstance(value, str) else "".join(value)
    return text.encode(errors="replace").decode()


def _size(metadata: object) -> dict[str, int]:
    """Return the part of an image's metadata that says how large to show it."""
    if not isinstance(metadata, Mapping):
        return {}
    return {name: metadata[name] for name in ("height", "width") if name in metadata}


def _join_streams(streams: Sequence[Output]) -> list[Output]:
    """Return the streams joined to one of each name, standard output first."""
    texts = {name: _clean("".join(s["text"] for s in streams if s["name"] == name)) for name in _STREAMS}
    return [{"output_type": "stream", "name": name, "text": text} for name, text in texts.items() if text]


def _clean(text: str) -> str:
    """Return what a reader of a terminal would see in the end, the same after each run."""
    text = _last_states(_ANSI.sub("", text))
    text = _ADDRESS.sub("0x...", text)
    text = _CELL_FILE.sub("<cell>", text)
    return _PACKAGE_FOLDER.sub("site-packages/", text)


def _last_states(text: str) -> str:
    """Return the text with backspaces and carriage returns carried out."""
    while "\x08" in text:
        shorter = _BACKSPACE.sub("", text)
        text = shorter if shorter != text else text.replace("\x08", "")
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(next(filter(None, reversed(line.split("\r"))), "") for line in lines)


# Records -> files


def to_files(record: Record) -> dict[str, bytes]:
    """Return a record's files by their names relative to the framework's folder, the JSON file last."""
    plots: dict[str, bytes] = {}
    cells = [_cell_to_json(number, cell, plots) for number, cell in enumerate(record.cells, 1)]
    document = {
        "chapter": record.chapter,
        "cells": cells,
        "definitions": dict(record.definitions),
        "provenance": asdict(record.provenance),
        "execution": record.execution,
    }
    document["digest"] = _digest(document)
    text = json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    files = {f"{record.chapter}/{name}": content for name, content in plots.items()}
    return {**files, f"{record.chapter}.json": text.encode()}


def is_plot_name(name: str) -> bool:
    """Return whether a file of a chapter's folder is called what records call their plots."""
    return _PLOT_NAME.fullmatch(name) is not None


def _cell_to_json(number: int, cell: CellResult, plots: dict[str, bytes]) -> Output:
    """Return a cell's result for the JSON file, its plots moved to `plots`."""
    outputs: list[Output] = []
    count = len(plots)
    for output in cell.outputs:
        fields = {name: value for name, value in output.items() if value not in ({}, None)}
        if "text" in fields:
            fields["text"] = fields["text"].splitlines(keepends=True)
        if "data" in fields:
            prefix = f"{number}-{len(plots) - count + 1}"
            fields["data"] = {
                mime: _value_to_json(mime, value, prefix, plots) for mime, value in fields["data"].items()
            }
        outputs.append(fields)
    return {"digest": cell.digest, "outputs": outputs}


def _value_to_json(mime: str, value: Any, prefix: str, plots: dict[str, bytes]) -> Any:
    if mime in IMAGES:
        content = value.encode() if mime == SVG else base64.b64decode(value)
        digest = hashlib.sha256(content).hexdigest()
        name = f"{prefix}-{digest[:8]}.{IMAGES[mime]}"
        plots[name] = content
        return {"file": name, "sha256": digest}
    return value if _is_json(mime) else value.splitlines(keepends=True)


def _digest(document: Mapping[str, Any]) -> str:
    """Return the digest of a whole record; the plots are in it by their own digests."""
    return hashlib.sha256(canonical_json(document)).hexdigest()


# Files -> records


def from_files(chapter: str, read: Callable[[str], bytes]) -> Record:
    """Return the record that `to_files` made the files of.

    Args:
        chapter: The chapter's path without suffix, relative to the language's folder.
        read: Returns the content of a file by its name relative to the framework's folder.

    Raises:
        BrokenRecordError: The content is not what was written.
    """
    try:
        document = _parse(read(f"{chapter}.json"))
        if document.pop("digest", None) != _digest(document):
            raise BrokenRecordError("its digest does not fit its content")
        record = _record(document, lambda name: read(f"{chapter}/{name}"))
    except (AttributeError, KeyError, RecursionError, TypeError, UnicodeDecodeError) as error:
        raise BrokenRecordError("it has another form than this version of polybook writes") from error
    if record.chapter != chapter:
        raise BrokenRecordError(f"it belongs to the chapter {record.chapter}")
    return record


def _parse(content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except ValueError as error:
        raise BrokenRecordError("it is not JSON") from error
    if not isinstance(document, dict):
        raise BrokenRecordError("it is not a JSON object")
    return document


def _record(document: Mapping[str, Any], read: Callable[[str], bytes]) -> Record:
    return Record(
        chapter=_be(str, document["chapter"]),
        cells=tuple(
            CellResult(
                _be(str, cell["digest"]),
                tuple(_output_from_json(fields, read) for fields in _be(list, cell["outputs"])),
            )
            for cell in _be(list, document["cells"])
        ),
        definitions=_texts(document["definitions"]),
        provenance=_provenance(document["provenance"]),
        execution=_be(int, document["execution"]),
    )


def _provenance(fields: Mapping[str, Any]) -> Provenance:
    data = {name: digest for name, digest in _be(dict, fields["data"]).items() if digest is not None}
    _texts({name: value for name, value in fields.items() if name != "data"} | _texts(data))
    return Provenance(**fields)


def _texts(value: Any) -> dict[str, str]:
    return {name: _be(str, text) for name, text in _be(dict, value).items()}


def _be(kind: type[_Kind], value: Any) -> _Kind:
    """Return a value of a JSON file that has to be of this type."""
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value


def _output_from_json(fields: Mapping[str, Any], read: Callable[[str], bytes]) -> Output:
    kind = fields["output_type"]
    if kind == "stream":
        return {"output_type": kind, "name": _be(str, fields["name"]), "text": "".join(fields["text"])}
    data = {mime: _value_from_json(mime, value, read) for mime, value in fields["data"].items()}
    return _display(_be(str, kind), data, _be(dict, fields.get("metadata", {})))


def _value_from_json(mime: str, value: Any, read: Callable[[str], bytes]) -> Any:
    if mime in IMAGES:
        content = _read_plot(value["file"], value["sha256"], read)
        return content.decode() if mime == SVG else base64.b64encode(content).decode()
    return value if _is_json(mime) else "".join(value)


def _read_plot(name: str, digest: str, read: Callable[[str], bytes]) -> bytes:
    if not is_plot_name(name):
        raise BrokenRecordError(f"{name} is no name of a plot")
    content = read(name)
    if hashlib.sha256(content).hexdigest() != digest:
        raise BrokenRecordError(f"its plot {name} is not the one that was written")
    return content
