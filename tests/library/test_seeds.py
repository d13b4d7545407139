"""Chapters written by others for the same library: their cells run as they are, and as readers get them."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv" / "bin" / "python"
SEEDS = Path(os.environ.get("POLYBOOK_SEEDS") or ROOT.parent / "shared" / "seeds")

TRAIN_CH8 = ["ppl", "train_ppl", "perplexity", "time", "traveller"]
FIT = ["ppl", "train_ppl", "val_ppl"]
#: How the lines begin that a seed prints once it has the data.
PRINTS = {"000": TRAIN_CH8, "001": TRAIN_CH8, "002": FIT * 2, "003": TRAIN_CH8, "004": None}


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """The code cells of all seeds as programs, one for each framework that a seed names."""
    if not any(SEEDS.glob("*.txt")):
        pytest.skip(f"the seed chapters are not in {SEEDS}; POLYBOOK_SEEDS names their folder")
    if not PYTHON.exists():
        pytest.skip(f"there is no {PYTHON}, which makes notebooks of chapters; `make site` sets it up")
    folder = tmp_path_factory.mktemp("seeds")
    command = [PYTHON, ROOT / "benchmarks" / "seeds.py", "--programs", folder]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, timeout=600)
    assert not done.returncode, done.stderr
    return folder


@pytest.mark.parametrize("cells", ["unchanged", "notebooks"])
@pytest.mark.parametrize("seed", PRINTS)
def test_a_seed_runs_to_its_end(programs, framework, seed, cells, run_script):
    found = list((programs / cells).glob(f"{seed}_*.{framework}.py"))
    if not found:
        pytest.skip(f"seed {seed} has no code for {framework}")
    lines = run_script(found[0].read_text(encoding="utf-8"), D2L_SMOKE="1").splitlines()
    if PRINTS[seed] is None:
        assert lines == []
    else:
        assert lines[0].endswith("A short story takes the place of the book.")
        assert [line.split()[0] for line in lines[1:]] == PRINTS[seed]


def test_notebooks_call_the_framework_where_seeds_call_the_library(programs):
    [notebook] = (programs / "notebooks").glob("004_*.pytorch.py")
    [unchanged] = (programs / "unchanged").glob("004_*.pytorch.py")
    assert "d2l.concat(" in unchanged.read_text(encoding="utf-8")
    assert "torch.cat(" in notebook.read_text(encoding="utf-8")
    assert "d2l.concat(" not in notebook.read_text(encoding="utf-8")
