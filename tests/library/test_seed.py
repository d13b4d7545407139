"""A chapter written by others for the same library: its cells run as they are."""

import pytest

#: What a reader sets for the seed: its TensorFlow cells are written for Keras 2, see docs/adr/0006-keras.md.
SETTINGS = {"pytorch": {}, "tensorflow": {"TF_USE_LEGACY_KERAS": "1"}, "mxnet": {}}


def test_the_cells_run_to_the_end(seed_cells, framework, run_script):
    if framework not in SETTINGS:
        pytest.skip(f"the seed has no cells for {framework}")
    cells = seed_cells("002", "fr")
    assert any("class StackedRNNScratch" in cell for cell in cells)
    assert cells[-1].startswith("model.predict(")
    report = "print(model.predict('it has', 20, data.vocab, d2l.try_gpu()))\n"
    lines = run_script("\n\n".join([*cells, report]), D2L_SMOKE="1", **SETTINGS[framework]).splitlines()
    assert lines[0].endswith("A short story takes the place of the book.")
    assert [line.split()[0] for line in lines[1:7]] == ["ppl", "train_ppl", "val_ppl"] * 2
    assert lines[7].startswith("it has")
    assert len(lines) == 8
