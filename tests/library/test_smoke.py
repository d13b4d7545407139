"""Trials: with D2L_SMOKE=1 a training ends after two minibatches, in every framework."""

import pytest


def test_a_long_training_ends_after_two_minibatches(d2l, make_model, lines, monkeypatch, capsys):
    monkeypatch.setenv("D2L_SMOKE", "1")
    data = lines(batch_size=8)
    model = make_model(len(data.vocab))
    model.board.display = True
    trainer = d2l.Trainer(max_epochs=30)
    trainer.fit(model, data)
    assert (trainer.train_batch_idx, trainer.val_batch_idx) == (2, 2)
    assert {len(points) for points in model.board.curves.values()} == {1, 2}
    assert "val_ppl" in capsys.readouterr().out


def test_data_without_validation_will_do(d2l, Line, Plane, monkeypatch):
    monkeypatch.setenv("D2L_SMOKE", "1")
    trainer = d2l.Trainer(max_epochs=5)
    trainer.fit(Line(), Plane(num_val=0))
    assert (trainer.train_batch_idx, trainer.val_batch_idx) == (2, 0)


@pytest.mark.parametrize("value", ["", "0"])
def test_other_values_change_nothing(d2l, Line, Plane, monkeypatch, value):
    monkeypatch.setenv("D2L_SMOKE", value)
    trainer = d2l.Trainer(max_epochs=2)
    trainer.fit(Line(), Plane())
    assert (trainer.train_batch_idx, trainer.val_batch_idx) == (6, 4)


def test_after_a_trial_a_trainer_trains_as_long_as_it_was_told_to(d2l, Line, Plane, monkeypatch):
    model, data, trainer = Line(), Plane(), d2l.Trainer(max_epochs=3)
    with monkeypatch.context() as patch:
        patch.setenv("D2L_SMOKE", "1")
        trainer.fit(model, data)
    assert (trainer.train_batch_idx, trainer.max_epochs) == (2, 3)
    trainer.fit(model, data)
    assert trainer.train_batch_idx == 9
