"""What holds of the trainer in every framework."""

import pytest


@pytest.fixture
def model_and_data(d2l, adapter, book, story):
    book(story[:3000])
    data = d2l.TimeMachine(batch_size=16, num_steps=4, num_train=48, num_val=16)
    model = adapter.make(d2l.RNNLM, adapter.make(d2l.RNN, len(data.vocab), 4), len(data.vocab), lr=1)
    model.board.display = False
    return model, data


def test_after_a_trial_a_trainer_trains_as_long_as_it_was_told_to(d2l, model_and_data, monkeypatch):
    model, data = model_and_data
    trainer = d2l.Trainer(max_epochs=3)
    with monkeypatch.context() as patch:
        patch.setenv("D2L_SMOKE", "1")
        trainer.fit(model, data)
    assert (trainer.train_batch_idx, trainer.max_epochs) == (2, 3)
    trainer.fit(model, data)
    assert trainer.train_batch_idx == 9
