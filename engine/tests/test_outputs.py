"""Results of runs: what is kept of them, and their way into files and back."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest

from polybook.outputs import (
    BrokenRecordError,
    Provenance,
    from_files,
    is_plot_name,
    make_record,
    normalise,
    to_files,
)

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n...").decode()
SVG = "<svg>\n<text>perplexité</text>\n</svg>\n"
PROVENANCE = Provenance("pytorch", "2.6.0", "3.11.7", "cpu", {"timemachine.txt": "090b5e7e"})


def stream(text, name="stdout"):
    return {"output_type": "stream", "name": name, "text": text}


def display(data, **fields):
    return {"output_type": "display_data", "data": data, "metadata": {}, **fields}


def result(data):
    return {"output_type": "execute_result", "data": data, "metadata": {}, "execution_count": None}


def update(data, identifier):
    return {**display(data, transient={"display_id": identifier}), "output_type": "update_display_data"}


CASES = {
    "neighbouring streams are joined": ([stream("a"), stream("b\n")], [stream("ab\n")]),
    "pieces of two streams come in one order": (
        [stream("1\n"), stream("w", "stderr"), stream("2\n"), stream("v\n", "stderr")],
        [stream("1\n2\n"), stream("wv\n", "stderr")],
    ),
    "a display keeps streams apart": (
        [stream("a"), display({"text/plain": "x"}), stream("b")],
        [stream("a"), display({"text/plain": "x"}), stream("b")],
    ),
    "a display that vanishes does not": (
        [stream("a"), display({"application/pdf": "x"}), stream("b")],
        [stream("ab")],
    ),
    "empty streams go": ([stream("")], []),
    "lists of lines are texts": ([stream(["a\n", "b"])], [stream("a\nb")]),
    "progress": ([stream("\r10%"), stream("\r50%\r100%\ndone\n")], [stream("100%\ndone\n")]),
    "progress that ends in a return": ([stream("10%\r100%\r")], [stream("100%")]),
    "line ends of Windows": ([stream("a\r\nb\r\n")], [stream("a\nb\n")]),
    "backspaces": ([stream("1/9\x08\x08\x082/9\n\x08\n")], [stream("2/9\n\n")]),
    "colours": ([stream("\x1b[1;31mred\x1b[0m \x1b]8;;http://x\x1b\\link\x1b")], [stream("red link")]),
    "addresses": (
        [stream("<A object at 0x10f3a2b40>, 0x7ffd12345678, 0xff00ff, 0x7f")],
        [stream("<A object at 0x...>, 0x..., 0xff00ff, 0x7f")],
    ),
    "addresses in results": (
        [result({"text/plain": "<object at 0x7f0a12345678>"})],
        [result({"text/plain": "<object at 0x...>"})],
    ),
    "the file of a cell": (
        [stream("/var/folders/x/T/ipykernel_71/123.py:2: UserWarning: x", "stderr")],
        [stream("<cell>:2: UserWarning: x", "stderr")],
    ),
    "the folder of a package": (
        [stream("/home/me/.venv/lib/python3.11/site-packages/torch/nn.py:2: UserWarning", "stderr")],
        [stream("site-packages/torch/nn.py:2: UserWarning", "stderr")],
    ),
    "lone surrogates": ([stream("a\ud800")], [stream("a?")]),
    "counts, identifiers and metadata": (
        [
            {**result({"text/plain": "1"}), "execution_count": 3, "transient": {"display_id": "a"}},
            display({"text/plain": "2"}, metadata={"needs_background": "light"}),
        ],
        [result({"text/plain": "1"}), display({"text/plain": "2"})],
    ),
    "the size of an image stays": (
        [display({"image/png": PNG}, metadata={"image/png": {"width": 9, "unit": 1}, "x": {}})],
        [display({"image/png": PNG}, metadata={"image/png": {"width": 9}})],
    ),
    "the best image": (
        [display({"image/png": PNG, "image/svg+xml": SVG, "text/plain": "<Figure>"})],
        [display({"image/svg+xml": SVG, "text/plain": "<Figure>"})],
    ),
    "PNG where there is no SVG": (
        [display({"image/jpeg": PNG, "image/png": PNG + "\n", "application/pdf": "x"})],
        [display({"image/png": PNG})],
    ),
    "JSON": (
        [display({"application/vnd.vega.v5+json": {"a": [1, "0x7f0a12345678"]}, "text/html": "<b>"})],
        [display({"application/vnd.vega.v5+json": {"a": [1, "0x7f0a12345678"]}, "text/html": "<b>"})],
    ),
    "a widget without its kernel": (
        [display({"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "bar"})],
        [],
    ),
    "updates": (
        [
            display({"text/plain": "1"}, transient={"display_id": "a"}),
            stream("x"),
            update({"text/plain": "2"}, "a"),
            update({"text/plain": "3"}, "a"),
            update({"text/plain": "4"}, "never shown"),
        ],
        [display({"text/plain": "3"}), stream("x")],
    ),
    "one display for one identifier": (
        [
            display({"text/plain": "1"}, transient={"display_id": "a"}),
            display({"text/plain": "2"}, transient={"display_id": "a"}),
            display({"text/plain": "3"}, transient=None),
        ],
        [display({"text/plain": "2"}), display({"text/plain": "3"})],
    ),
}


@pytest.mark.parametrize(("outputs", "expected"), CASES.values(), ids=CASES)
def test_normalise(outputs, expected):
    assert normalise(outputs) == tuple(expected)


@pytest.mark.parametrize("outputs", [outputs for outputs, _ in CASES.values()], ids=CASES)
def test_a_second_pass_changes_nothing(outputs):
    once = normalise(outputs)

    assert normalise(once) == once


def test_normalise_leaves_its_argument():
    outputs = [stream("a"), update({"text/plain": "1"}, "a"), display({"image/png": PNG, "text/plain": "x"})]
    before = json.dumps(outputs)

    normalise(outputs)

    assert json.dumps(outputs) == before


def test_an_error_is_no_result():
    with pytest.raises(ValueError, match="error"):
        normalise([{"output_type": "error", "ename": "E", "evalue": "", "traceback": []}])


def example_record():
    outputs = [
        [],
        [stream("epoch 1\nepoch 2\n"), stream("时间", "stderr")],
        [
            display({"image/svg+xml": SVG, "text/plain": "<Figure>"}),
            display({"image/png": PNG}, metadata={"image/png": {"width": 9}}),
            result({"text/plain": "a\u2028b\n", "application/geo+json": {"x": [1.5, None]}}),
            display({"image/svg+xml": SVG}),
        ],
    ]
    cells = ["import d2l", "train()", "plot()"]
    return make_record("part/rnn", cells, outputs, {"train": "def train(): pass"}, PROVENANCE)


def test_a_record_survives_its_files():
    record = example_record()

    assert from_files("part/rnn", to_files(record).__getitem__) == record


def test_plots_are_files_beside_the_json_which_comes_last():
    files = to_files(example_record())
    *plots, last = files

    assert last == "part/rnn.json"
    assert [name.rsplit("-", 1)[0] for name in plots] == ["part/rnn/3-1", "part/rnn/3-2", "part/rnn/3-3"]
    assert [name.rsplit(".", 1)[1] for name in plots] == ["svg", "png", "svg"]
    assert files[plots[0]] == SVG.encode()
    assert files[plots[1]] == base64.b64decode(PNG)
    assert all(is_plot_name(name.removeprefix("part/rnn/")) for name in plots)


def test_the_json_reads_well():
    text = to_files(example_record())["part/rnn.json"].decode()
    document = json.loads(text)

    assert text == json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    assert document["cells"][1]["outputs"] == [
        {"output_type": "stream", "name": "stdout", "text": ["epoch 1\n", "epoch 2\n"]},
        {"output_type": "stream", "name": "stderr", "text": ["时间"]},
    ]
    assert "execution_count" not in text


def test_equal_records_have_equal_files():
    assert to_files(example_record()) == to_files(example_record())


def test_another_plot_has_another_name():
    first = make_record("rnn", ["plot()"], [[display({"image/svg+xml": SVG})]], {}, PROVENANCE)
    second = make_record("rnn", ["plot()"], [[display({"image/svg+xml": SVG + "\n"})]], {}, PROVENANCE)

    assert to_files(first).keys() & to_files(second).keys() == {"rnn.json"}


def test_a_record_knows_its_key():
    record = example_record()

    assert record.parts.framework == "pytorch"
    assert record.parts.data == PROVENANCE.data
    assert record.key == record.parts.key
    assert record.key != replace(record, definitions={}).key
    assert record.key == replace(record, provenance=replace(PROVENANCE, device="H200")).key


def damage_text(files):
    return {**files, "part/rnn.json": files["part/rnn.json"].replace(b"epoch 2", b"epoch 3")}


def truncate_json(files):
    return {**files, "part/rnn.json": files["part/rnn.json"][:-40]}


def truncate_plot(files):
    name = next(iter(files))
    return {**files, name: files[name][:-1]}


def edit_plot(files):
    name = next(iter(files))
    return {**files, name: files[name].replace(b"perplex", b"complex")}


def replace_json(text):
    return lambda files: {**files, "part/rnn.json": text}


DAMAGE = [
    damage_text,
    truncate_json,
    truncate_plot,
    edit_plot,
    replace_json(b""),
    replace_json(b"[]"),
    replace_json(b"{}"),
    replace_json(b"\xff"),
    replace_json(b"<<<<<<< ours"),
    replace_json(b"[" * 100_000),
    replace_json(b'{"a":' * 100_000),
]


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_noticed(damage):
    files = damage(to_files(example_record()))

    with pytest.raises(BrokenRecordError):
        from_files("part/rnn", files.__getitem__)


def signed(document):
    """Return a JSON file whose digest is right, whatever else it says."""
    from polybook.outputs import _digest

    return json.dumps({**document, "digest": _digest(document)}).encode()


def test_a_record_of_another_form_is_broken():
    with pytest.raises(BrokenRecordError, match="form"):
        from_files("rnn", {"rnn.json": signed({"chapter": "rnn", "cells": 3})}.__getitem__)


ANOTHER_FORM = {
    "definitions": [],
    "definitions of numbers": {"definitions": {"f": 1}},
    "cells": {},
    "execution": "1",
    "provenance": [],
    "data": {"provenance": {"data": []}},
    "digests of data": {"provenance": {"data": {"a.txt": 1}}},
    "version": {"provenance": {"version": None}},
    "more": {"provenance": {"more": "x"}},
}


@pytest.mark.parametrize("name", ANOTHER_FORM)
def test_what_has_another_type_is_broken(name):
    change = ANOTHER_FORM[name] if isinstance(ANOTHER_FORM[name], dict) else {name: ANOTHER_FORM[name]}
    files = to_files(example_record())
    document = json.loads(files["part/rnn.json"])
    del document["digest"]
    assert from_files("part/rnn", {**files, "part/rnn.json": signed(document)}.__getitem__)
    if isinstance(change.get("provenance"), dict):
        change = {"provenance": {**document["provenance"], **change["provenance"]}}
    if name == "cells":
        change = {"cells": {}}

    with pytest.raises(BrokenRecordError, match="form"):
        from_files("part/rnn", {**files, "part/rnn.json": signed({**document, **change})}.__getitem__)


def test_a_record_of_another_chapter_is_broken():
    files = to_files(make_record("rnn", [], [], {}, PROVENANCE))

    with pytest.raises(BrokenRecordError, match="chapter rnn"):
        from_files("gru", {"gru.json": files["rnn.json"]}.__getitem__)


def test_a_record_reads_no_file_but_its_plots():
    document = json.loads(to_files(example_record())["part/rnn.json"])
    del document["digest"]
    document["cells"][2]["outputs"][0]["data"]["image/svg+xml"]["file"] = "../../../etc/passwd"

    with pytest.raises(BrokenRecordError, match="no name of a plot"):
        from_files("part/rnn", {"part/rnn.json": signed(document)}.__getitem__)


@pytest.mark.parametrize("name", ["3-1-0b1c2d3e.txt", "3-1.svg", "intro.json", "x3-1-0b1c2d3e.svg"])
def test_other_files_are_no_plots(name):
    assert not is_plot_name(name)
