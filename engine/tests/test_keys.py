"""What must and what must not change the key of an execution."""

from __future__ import annotations

from dataclasses import replace

import pytest

from polybook.keys import KeyParts, digest_code, explain

CELLS = ("import torch\nx = 1", "train(x)", "x")
DEFINITIONS = {"train": "def train(x):\n    return step(x)", "step": "def step(x):\n    return x + 1"}
DATA = {"timemachine.txt": "090b5e7e", "lost.txt": None}


def parts(cells=CELLS, definitions=DEFINITIONS, data=DATA, version="2.6.0", framework="pytorch") -> KeyParts:
    return KeyParts(
        framework,
        version,
        tuple(map(digest_code, cells)),
        {name: digest_code(source) for name, source in definitions.items()},
        data,
    )


def cell(number: int, code: str) -> dict[str, tuple[str, ...]]:
    return {"cells": (*CELLS[: number - 1], code, *CELLS[number:])}


CHANGES = {
    "code": (cell(1, "import torch\nx = 2"), "Cell 1 changed."),
    "a string with a hash sign": (cell(3, "'# x'"), "Cell 3 changed."),
    "a semicolon that hides the result": (cell(3, "x;"), "Cell 3 changed."),
    "a semicolon before a comment": (cell(3, "x;  # hidden"), "Cell 3 changed."),
    "two neighbours": ({"cells": ("1", "2", "x")}, "Cells 1 to 2 changed."),
    "a new cell": ({"cells": (CELLS[0], "1", *CELLS[1:])}, "Cell 2 is new."),
    "a cell gone": ({"cells": CELLS[1:]}, "Cell 1 is gone."),
    "more cells": ({"cells": ("1", "2", "3", *CELLS[1:])}, "Cell 1 changed; cells 2 to 3 are new."),
    "order": ({"cells": CELLS[::-1]}, "The order of the cells changed."),
    "a definition": (
        {"definitions": {**DEFINITIONS, "step": "def step(x):\n    return x + 2"}},
        "Definition `step` changed.",
    ),
    "one more definition": (
        {"definitions": {**DEFINITIONS, "plot": "plot = print"}},
        "Definition `plot` is used now.",
    ),
    "one definition less": (
        {"definitions": {"train": DEFINITIONS["train"]}},
        "Definition `step` is no longer used.",
    ),
    "version": ({"version": "2.7.0"}, "The version of pytorch is 2.7.0 now, it was 2.6.0."),
    "framework": ({"framework": "jax"}, "The framework is jax now, it was pytorch."),
    "data": ({"data": {**DATA, "timemachine.txt": "ffff"}}, "Data file `timemachine.txt` changed."),
    "a data file that was not there": (
        {"data": {**DATA, "lost.txt": "ffff"}},
        "Data file `lost.txt` is there now.",
    ),
    "another data file": (
        {"data": {"lost.txt": None, "story.txt": "ffff"}},
        "Data file `story.txt` is used now; data file `timemachine.txt` is no longer used.",
    ),
    "several": (
        {"version": "2.7.0", **cell(2, "train(2)"), "data": {"lost.txt": None}},
        "The version of pytorch is 2.7.0 now, it was 2.6.0; cell 2 changed; "
        "data file `timemachine.txt` is no longer used.",
    ),
}

SAME = {
    "comment": cell(1, "import torch\n# one\nx = 1  # a number"),
    "a translated comment": cell(1, "# 时间\nimport torch\nx = 1"),
    "blank lines": cell(1, "\n\nimport torch\n\n\nx = 1\n"),
    "spaces": cell(1, "import torch\nx   =   1   "),
    "a comment in a definition": {
        "definitions": {**DEFINITIONS, "step": "def step(x):\n    # add one\n    return x + 1"}
    },
    "order of definitions": {"definitions": dict(reversed(DEFINITIONS.items()))},
}


@pytest.mark.parametrize(("change", "sentence"), CHANGES.values(), ids=CHANGES)
def test_what_matters_changes_the_key_and_is_named(change, sentence):
    assert parts(**change).key != parts().key
    assert explain(parts(), parts(**change)) == sentence


@pytest.mark.parametrize("change", SAME.values(), ids=SAME)
def test_what_does_not_matter_leaves_the_key(change):
    assert parts(**change).key == parts().key
    assert explain(parts(), parts(**change)) == "Nothing changed."


def test_the_way_of_running_is_part_of_the_key():
    later = replace(parts(), execution=parts().execution + 1)

    assert later.key != parts().key
    assert explain(parts(), later) == "The way that polybook runs cells changed."


def test_code_without_results_has_never_been_run():
    assert explain(None, parts()) == "It has never been run."


def test_the_key_is_a_digest():
    assert len(bytes.fromhex(parts().key)) == 32


def test_cells_are_not_run_together():
    assert parts(cells=("x = 1\ny = 2",)).key != parts(cells=("x = 1", "y = 2")).key


@pytest.mark.parametrize("code", ["x = (", "%matplotlib inline", "!ls", "'\ud800'", "", "x = '''"])
def test_code_that_is_no_python_has_a_digest(code):
    assert digest_code(code) == digest_code(code + "\n") != digest_code(code + "\ny")
