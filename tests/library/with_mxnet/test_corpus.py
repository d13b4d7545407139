"""The library on the real text, where there is one."""

import pytest
from d2l import mxnet as d2l


def test_the_corpus_of_the_chapters(corpus_folder, monkeypatch, capsys):
    monkeypatch.setenv("D2L_DATA", str(corpus_folder))
    data = d2l.TimeMachine(batch_size=1024, num_steps=32)
    assert len(data.vocab) == 28
    assert data.X.shape == data.Y.shape == (173_427 - 32, 32)
    model = d2l.RNNLM(d2l.RNN(28, 32), 28, lr=1)
    d2l.Trainer(max_epochs=3, gradient_clip_val=1).fit(model, data)
    points = model.board.curves["val_ppl"]
    assert 28 > points[0][1] > points[-1][1]
    assert points[-1][1] == pytest.approx(13.5, abs=2)
    table = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in table] == ["ppl", "train_ppl", "val_ppl"]
