"""The plugin for nbval: what it makes of plots, and of cells whose output is compared."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from polybook.notebook import code_cell, notebook_of
from polybook.outputs import Provenance, make_record
from polybook.store import Store

pytest.importorskip("nbval")
from polybook.nbval import find_fault

CURVES = "application/vnd.d2l.curves+json"


def plot(*values: float | None, **others: str) -> dict:
    curves = {"curves": [{"name": "loss", "x": [1] * len(values), "y": list(values)}]}
    return {"output_type": "display_data", "data": {CURVES: curves, **others}, "metadata": {}}


SVG = {"image/svg+xml": "<svg></svg>"}
TEXT = {"output_type": "stream", "name": "stdout", "text": "1\n"}
FAULTS = {
    "a plot": ([TEXT, plot(1, **SVG)], [plot(1, **SVG)], None),
    "a plot that was not there": ([plot(1, **SVG)], [], None),
    "no plot": ([TEXT], [TEXT], None),
    "a plot is missing": ([TEXT], [plot(1)], "The cell draws no curves, and its stored result has some."),
    "no image": ([plot(1, **SVG), plot(1)], [], "A plot has no image."),
    "an empty image": ([plot(1, **{"image/svg+xml": ""})], [], "A plot has no image."),
    "no data": ([plot(None, **SVG)], [], "A plot has a curve without data."),
    "no points": ([plot(**SVG)], [], "A plot has a curve without data."),
}


@pytest.mark.parametrize(("outputs", "stored", "fault"), FAULTS.values(), ids=FAULTS)
def test_faults_of_plots(outputs, stored, fault):
    assert find_fault(outputs, stored) == fault


DRAWING = f"display({plot(1, **SVG)['data']!r}, raw=True)"
#: Code, tags, what is stored for it, and the outcome.
CELLS = [
    ("x = 1", [], [], "passed"),
    (DRAWING, [], [plot(2, **SVG)], "passed"),
    ("x", [], [plot(2, **SVG)], "failed"),
    ("print(x)", [], [{**TEXT, "text": "2\n"}], "passed"),
    ("print(x)  # as stored", ["nbval-check-output"], [TEXT], "passed"),
    ("print(x + 1)", ["nbval-check-output"], [TEXT], "failed"),
    ("1 / 0", ["nbval-skip"], [], "skipped"),
    ("1 / 0  # with a reason", ["raises-exception"], [], "passed"),
    ("print(x + 2)", ["nbval-check-output"], None, "passed"),
]


@pytest.mark.slow
def test_cells_give_what_is_stored(tmp_path):
    cells = [code_cell(code, tags) for code, tags, *_ in CELLS]
    path = tmp_path / "notebooks/en/pytorch/deep/rnn.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(notebook_of(cells)))
    stored = [(code, outputs) for code, _, outputs, _ in CELLS if outputs is not None]
    provenance = Provenance("pytorch", "2.0", "3.11.7", "cpu", {})
    record = make_record("deep/rnn", *zip(*stored, strict=True), {}, provenance)
    Store(tmp_path / "outputs").save("pytorch", record)

    assert outcomes(tmp_path, "--nbval-results", "outputs/pytorch") == [outcome for *_, outcome in CELLS]
    assert set(outcomes(tmp_path)) == {"passed", "skipped"}


def outcomes(folder: Path, *options: str) -> list[str]:
    """Return how the cells of the notebook fare."""
    command = [sys.executable, "-m", "pytest", "-v", "-p", "polybook.nbval", "--nbval-lax", *options]
    environment = {**os.environ, "PYTEST_ADDOPTS": "", "PY_COLORS": "0"}
    run = subprocess.run(
        [*command, "--nbval-current-env", "notebooks"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return [word.lower() for word in re.findall(r"::Cell \d+ (PASSED|FAILED|SKIPPED)", run.stdout)]
