"""polybook emits the code cells that `d2lbook`, the builder of the dialect's first book, emits.

For the seed chapters there is no exception. Where d2lbook is known to get a cell wrong,
`oracle/differences.txt` has the cell, what we make of it for PyTorch and what d2lbook makes of it; the
title says why. With `D2LBOOK_PYTHON`, an interpreter that has d2lbook 1.0.3, its side is checked again.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from dump import read_examples

from polybook.frameworks import code_for
from polybook.model import Cell

sys.path.insert(0, str(Path(__file__).parent / "oracle"))
import compare

DIFFERENCES = read_examples(Path(__file__).parent / "oracle" / "differences.txt", 3)
#: The cell at the end is for d2lbook, which has no edition of a chapter that names no framework.
CHAPTER = "# A\n\n```{{.python .input}}\n{}```\n\n```{{.python .input}}\n#@tab pytorch\nlast\n```\n"
needs_seeds = pytest.mark.skipif(
    not compare.seed_paths(), reason=f"the seed chapters are not in {compare.SEEDS}"
)
needs_d2lbook = pytest.mark.skipif("D2LBOOK_PYTHON" not in os.environ, reason="D2LBOOK_PYTHON is not set")


@needs_seeds
def test_the_seeds_have_the_code_that_d2lbook_gives_them():
    assert compare.digests(compare.polybook_cells()) == json.loads(compare.GOLDEN.read_text())


@needs_seeds
@needs_d2lbook
def test_the_golden_digests_are_those_of_d2lbook():
    cells = compare.d2lbook_cells(Path(os.environ["D2LBOOK_PYTHON"]))
    assert compare.digests(cells) == json.loads(compare.GOLDEN.read_text())


@pytest.mark.parametrize(("title", "code", "ours", "theirs"), DIFFERENCES)
def test_we_do_better(title, code, ours, theirs):
    emitted = code_for(Cell(1, "", ".python .input", code, True), "pytorch", "mxnet") or ""
    assert emitted == ours.rstrip("\n")
    assert compare.normal_form(ours) != compare.normal_form(theirs)


@needs_d2lbook
def test_d2lbook_still_differs():
    texts = {f"p{i}": CHAPTER.format(code) for i, (_, code, _, _) in enumerate(DIFFERENCES)}
    emitted = compare.d2lbook_emits(Path(os.environ["D2LBOOK_PYTHON"]), texts, "pytorch")
    for (title, *_, theirs), (*codes, last) in zip(DIFFERENCES, emitted.values(), strict=True):
        assert compare.normal_form("\n".join(codes)) == compare.normal_form(theirs), title
        assert last == "last"
