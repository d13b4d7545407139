"""Language models: outputs, loss, and the text they write."""

import math

import numpy as np
import pytest
import tensorflow as tf
from d2l import tensorflow as d2l

VOCAB = d2l.Vocab(list("the time traveller for so it will be convenient to speak of him"))


def tokens(*shape, vocab_size=None):
    return tf.random.uniform(shape, maxval=vocab_size or len(VOCAB), dtype=tf.int32)


def test_outputs_have_the_order_of_axes_of_the_targets(make_model):
    model = make_model(len(VOCAB))
    X = tokens(3, 5)
    assert model.one_hot(X).shape == (5, 3, len(VOCAB))
    np.testing.assert_array_equal(np.argmax(model.one_hot(X), axis=2), X.numpy().T)
    assert model(X).shape == (3, 5, len(VOCAB))


def test_an_output_depends_on_nothing_that_comes_later(make_model):
    model = make_model(len(VOCAB))
    X = tokens(2, 8).numpy()
    changed = X.copy()
    changed[:, 5] = (X[:, 5] + 1) % len(VOCAB)
    before, after = model(X), model(changed)
    np.testing.assert_allclose(before[:, :5], after[:, :5], atol=1e-6)
    assert not np.allclose(before[:, 5:], after[:, 5:])


def test_the_loss_is_the_mean_over_all_examples_and_steps(make_model):
    Y_hat, Y = tf.random.normal((2, 3, 4)), tokens(2, 3, vocab_size=4)
    log_softmax = tf.nn.log_softmax(Y_hat).numpy()
    mean = sum(-log_softmax[i, t, Y[i, t]] for i in range(2) for t in range(3)) / 6
    assert float(make_model(4).loss(Y_hat, Y)) == pytest.approx(mean, rel=1e-5)


def test_uniform_guessing_among_28_has_perplexity_28(make_model):
    model = make_model(28)
    for parameter in model.trainable_variables:
        parameter.assign(tf.zeros(parameter.shape))
    X, Y = tokens(2, 4, 5, vocab_size=28)
    assert d2l.perplexity(float(model.loss(model(X), Y))) == pytest.approx(28, rel=1e-5)


def test_a_new_model_is_near_the_size_of_the_vocabulary():
    X, Y = tokens(2, 64, 32, vocab_size=28)
    for model in (
        d2l.RNNLMScratch(d2l.RNNScratch(28, 32), 28),
        d2l.RNNLM(d2l.RNN(28, 32), 28),
        d2l.RNNLM(d2l.GRU(28, 32, num_layers=2), 28),
    ):
        assert d2l.perplexity(float(model.loss(model(X), Y))) == pytest.approx(28, rel=0.2)


def test_a_perplexity_in_the_plot_is_the_exponential_of_the_mean_cross_entropy(make_model, lines):
    data = lines(batch_size=20, num_train=60, num_val=60)
    model = make_model(len(data.vocab), lr=0.0)
    d2l.Trainer(max_epochs=2).fit(model, data)
    losses = [float(model.loss(model(X), Y)) for X, Y in data.val_dataloader()]
    expected = pytest.approx(math.exp(sum(losses) / 3), rel=1e-5)
    assert model.board.curves["val_ppl"] == [(1, expected), (2, expected)]


class TestPrediction:
    @pytest.mark.parametrize(("prefix", "num_preds"), [("t", 0), ("it", 1), ("the time", 8)])
    def test_continues_the_prefix_with_the_most_probable_characters(self, make_model, prefix, num_preds):
        model = make_model(len(VOCAB))
        indices = VOCAB[list(prefix)]
        for _ in range(num_preds):  # reads everything again instead of keeping the state
            indices.append(int(np.argmax(model(tf.constant([indices]))[0, -1])))
        assert model.predict(prefix, num_preds, VOCAB) == "".join(VOCAB.to_tokens(indices))

    def test_changes_no_parameter_and_takes_a_device(self, make_model):
        model = make_model(len(VOCAB))
        before = [parameter.numpy() for parameter in model.trainable_variables]
        text = model.predict("it will", 5, VOCAB)
        assert text == model.predict("it will", 5, VOCAB, d2l.cpu())
        assert text.startswith("it will")
        after = [parameter.numpy() for parameter in model.trainable_variables]
        assert all(map(np.array_equal, before, after))

    def test_is_not_disturbed_by_dropout(self):
        model = d2l.RNNLM(d2l.GRU(len(VOCAB), 8, num_layers=2, dropout=0.9), len(VOCAB))
        assert model.training
        assert model.predict("so", 5, VOCAB) == model.predict("so", 5, VOCAB)

    def test_reads_an_unknown_character_as_the_unknown_token_and_keeps_it(self, make_model):
        model = make_model(len(VOCAB))
        assert model.predict("it?", 3, VOCAB) == "it?" + model.predict("it!", 3, VOCAB)[3:]

    def test_without_a_prefix_is_a_clear_error(self, make_model):
        with pytest.raises(ValueError, match="the prefix must have at least one character"):
            make_model(len(VOCAB)).predict("", 5, VOCAB)
