"""A chapter written by others for the same library: its cells run as they are."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv" / "bin" / "python"
SEEDS = Path(os.environ.get("POLYBOOK_SEEDS") or ROOT.parent / "shared" / "seeds")

CONFIG = """\
title: Seed
author: Others
polybook:
  source: fr
  languages: {fr: chapters/fr}
  frameworks: [mxnet, pytorch, tensorflow]
"""


#: What a reader sets for the seed: its TensorFlow cells are written for Keras 2, see docs/adr/0006-keras.md.
SETTINGS = {"pytorch": {}, "tensorflow": {"TF_USE_LEGACY_KERAS": "1"}}


@pytest.fixture(scope="module")
def cells(framework, tmp_path_factory):
    """The code cells of the French seed's notebook."""
    if framework not in SETTINGS:
        pytest.skip(f"the seed has no cells for {framework}")
    seeds = list(SEEDS.glob("002_*.txt"))
    if not seeds:
        pytest.skip(f"the seed chapters are not in {SEEDS}; POLYBOOK_SEEDS names their folder")
    if not PYTHON.exists():
        pytest.skip(f"there is no {PYTHON}, which makes notebooks of chapters; `make site` sets it up")
    book = tmp_path_factory.mktemp("seed")
    (book / "chapters" / "fr").mkdir(parents=True)
    shutil.copy(seeds[0], book / "chapters" / "fr" / "deep-rnn.md")
    (book / "_config.yml").write_text(CONFIG, encoding="utf-8")
    (book / "_toc.yml").write_text("format: jb-book\nroot: deep-rnn\n", encoding="utf-8")
    # The exit status tells of the chapter's flaws: references to chapters that are not here.
    command = [PYTHON, "-m", "polybook", "notebooks", "--book", book]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, timeout=600)
    path = book / "_build" / "notebooks" / "fr" / framework / "deep-rnn.ipynb"
    assert path.exists(), done.stderr
    notebook = json.loads(path.read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]


def test_the_cells_run_to_the_end(cells, framework, run_script):
    assert any("class StackedRNNScratch" in cell for cell in cells)
    assert cells[-1].startswith("model.predict(")
    report = "print(model.predict('it has', 20, data.vocab, d2l.try_gpu()))\n"
    lines = run_script("\n\n".join([*cells, report]), D2L_SMOKE="1", **SETTINGS[framework]).splitlines()
    assert lines[0].endswith("A short story takes the place of the book.")
    assert [line.split()[0] for line in lines[1:7]] == ["ppl", "train_ppl", "val_ppl"] * 2
    assert lines[7].startswith("it has")
    assert len(lines) == 8
