"""The library on the real text, where there is one."""

import pytest

#: The perplexity on the validation data after three epochs, and how far it may be from that.
PERPLEXITY = {"pytorch": (15, 3), "tensorflow": (13, 3), "mxnet": (13.5, 2), "jax": (13, 3)}


@pytest.fixture
def corpus(corpus_folder, monkeypatch):
    """Has the library find the real corpus."""
    monkeypatch.setenv("D2L_DATA", str(corpus_folder))


@pytest.mark.usefixtures("corpus")
def test_the_corpus_of_the_chapters(d2l, adapter, framework, capsys):
    data = d2l.TimeMachine(batch_size=1024, num_steps=32)
    assert len(data.vocab) == 28
    assert tuple(data.X.shape) == tuple(data.Y.shape) == (173_427 - 32, 32)
    model = adapter.make(d2l.RNNLM, adapter.make(d2l.RNN, 28, 32), 28, lr=1)
    d2l.Trainer(max_epochs=3, gradient_clip_val=1).fit(model, data)
    points = model.board.curves["val_ppl"]
    assert 28 > points[0][1] > points[-1][1]
    expected, distance = PERPLEXITY[framework]
    assert points[-1][1] == pytest.approx(expected, abs=distance)
    table = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in table] == ["ppl", "train_ppl", "val_ppl"]
