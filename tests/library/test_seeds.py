"""Chapters written by others for the same library: their cells run as they are, and as readers get them."""

import pytest

TRAIN_CH8 = ["ppl", "train_ppl", "perplexity", "time", "traveller"]
FIT = ["ppl", "train_ppl", "val_ppl"]
#: How the lines begin that a seed prints once it has the data.
PRINTS = {"000": TRAIN_CH8, "001": TRAIN_CH8, "002": FIT * 2, "003": TRAIN_CH8, "004": None}

#: What a trainer says that was asked for one and has none.
NO_GPU = "There is no GPU. The CPU does the work."


@pytest.mark.parametrize("kind", ["unchanged", "notebooks"])
@pytest.mark.parametrize("number", PRINTS)
def test_a_seed_runs_to_its_end(seed_chapter, number, kind, run_script):
    cells, settings = seed_chapter(number, kind)
    lines = run_script("\n\n".join(cells), D2L_SMOKE="1", **settings).splitlines()
    if PRINTS[number] is None:
        assert lines == []
    else:
        assert lines[0].endswith("A short story takes the place of the book.")
        assert [line.split()[0] for line in lines[1:] if line != NO_GPU] == PRINTS[number]


def test_notebooks_call_the_framework_where_seeds_call_the_library(seed_chapter):
    (unchanged, _), (notebook, _) = seed_chapter("004"), seed_chapter("004", "notebooks")
    assert any("d2l.concat(" in cell for cell in unchanged)
    assert not any("d2l.concat(" in cell for cell in notebook)
