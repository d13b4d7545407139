"""Language models: outputs, loss, and the text they write."""

import math

import numpy as onp
import pytest
from d2l import mxnet as d2l
from mxnet import autograd, np, npx

VOCAB = d2l.Vocab(list("the time traveller for so it will be convenient to speak of him"))


def tokens_for(*shape, size=None):
    return np.random.randint(size or len(VOCAB), size=shape, dtype="int32")


def test_outputs_have_the_order_of_axes_of_the_targets(make_model):
    model = make_model(len(VOCAB))
    X = tokens_for(3, 5)
    assert model.one_hot(X).shape == (5, 3, len(VOCAB))
    assert model.one_hot(X).argmax(2).tolist() == X.T.tolist()
    assert model(X).shape == (3, 5, len(VOCAB))


def test_an_output_depends_on_nothing_that_comes_later(make_model):
    model = make_model(len(VOCAB))
    X = tokens_for(2, 8)
    changed = X.copy()
    changed[:, 5] = (X[:, 5] + 1) % len(VOCAB)
    before, after = model(X), model(changed)
    assert np.allclose(before[:, :5], after[:, :5], atol=1e-6)
    assert not np.allclose(before[:, 5:], after[:, 5:], atol=1e-6)


def test_the_loss_is_the_mean_over_all_examples_and_steps(make_model):
    model = make_model(4)
    Y_hat, Y = np.random.normal(size=(2, 3, 4)), tokens_for(2, 3, size=4)
    p = onp.exp(Y_hat.asnumpy())
    p /= p.sum(axis=2, keepdims=True)
    mean = sum(-math.log(p[i, t, Y[i, t].item()]) for i in range(2) for t in range(3)) / 6
    assert model.loss(Y_hat, Y).item() == pytest.approx(mean, rel=1e-5)


def test_uniform_guessing_among_28_has_perplexity_28(make_model):
    model = make_model(28)
    for parameter in model.collect_params().values():
        parameter.set_data(np.zeros(parameter.shape))
    X, Y = tokens_for(2, 4, 5, size=28)
    assert d2l.perplexity(model.loss(model(X), Y).item()) == pytest.approx(28, rel=1e-5)


def test_a_new_model_is_near_the_size_of_the_vocabulary():
    X, Y = tokens_for(2, 64, 32, size=28)
    for model in (
        d2l.RNNLMScratch(d2l.RNNScratch(28, 32), 28),
        d2l.RNNLM(d2l.RNN(28, 32), 28),
        d2l.RNNLM(d2l.GRU(28, 32, num_layers=2), 28),
    ):
        assert d2l.perplexity(model.loss(model(X), Y).item()) == pytest.approx(28, rel=0.15)


def test_a_perplexity_in_the_plot_is_the_exponential_of_the_mean_cross_entropy(make_model, lines):
    data = lines(batch_size=20, num_train=60, num_val=60)
    model = make_model(len(data.vocab), lr=0.0)
    model.board.display = False
    d2l.Trainer(max_epochs=2).fit(model, data)
    losses = [model.loss(model(X), Y).item() for X, Y in data.val_dataloader()]
    expected = math.exp(sum(losses) / 3)
    assert model.board.curves["val_ppl"] == [(1, pytest.approx(expected)), (2, pytest.approx(expected))]


class TestPrediction:
    @pytest.mark.parametrize("prefix", ["t", "it", "the time"])
    @pytest.mark.parametrize("num_preds", [0, 1, 12])
    def test_continues_the_prefix_with_the_most_probable_characters(self, make_model, prefix, num_preds):
        model = make_model(len(VOCAB))
        tokens = VOCAB[list(prefix)]
        for _ in range(num_preds):  # reads everything again instead of keeping the state
            tokens.append(model(np.array([tokens], dtype="int32"))[0, -1].argmax().item())
        assert model.predict(prefix, num_preds, VOCAB) == "".join(VOCAB.to_tokens(tokens))

    def test_has_the_wanted_length(self, make_model):
        model = make_model(len(VOCAB))
        text = model.predict("it will", 20, VOCAB)
        assert text.startswith("it will")
        assert len(text.replace("<unk>", "?")) == len("it will") + 20

    def test_is_the_same_every_time_and_changes_no_parameter(self, make_model):
        model = make_model(len(VOCAB))
        before = [p.data().copy() for p in model.collect_params().values()]
        assert model.predict("so", 20, VOCAB) == model.predict("so", 20, VOCAB)
        after = [p.data() for p in model.collect_params().values()]
        assert all((a == b).all() for a, b in zip(before, after, strict=True))

    def test_follows_the_training(self, make_model, lines):
        data = lines(num_val=100)
        model = make_model(len(data.vocab), lr=4.0)
        model.board.display = False
        first = model.predict("the", 20, data.vocab)
        d2l.Trainer(max_epochs=3, gradient_clip_val=1).fit(model, data)
        assert model.predict("the", 20, data.vocab) != first

    def test_takes_a_device(self, make_model):
        model = make_model(len(VOCAB))
        assert model.predict("so", 5, VOCAB, d2l.cpu()) == model.predict("so", 5, VOCAB)

    def test_reads_an_unknown_character_as_the_unknown_token_and_keeps_it(self, make_model):
        model = make_model(len(VOCAB))
        assert model.predict("it?", 3, VOCAB) == "it?" + model.predict("it!", 3, VOCAB)[3:]

    def test_without_a_prefix_is_a_clear_error(self, make_model):
        with pytest.raises(ValueError, match="the prefix must have at least one character"):
            make_model(len(VOCAB)).predict("", 5, VOCAB)


def test_the_gradient_of_the_loss_is_softmax_minus_target():
    model = d2l.RNNLMScratch(d2l.RNNScratch(4, 3), 4)
    Y_hat, Y = np.random.normal(size=(2, 3, 4)), tokens_for(2, 3, size=4)
    Y_hat.attach_grad()
    with autograd.record():
        loss = model.loss(Y_hat, Y)
    loss.backward()
    expected = (npx.softmax(Y_hat) - npx.one_hot(Y, 4)) / 6
    assert np.allclose(Y_hat.grad, expected, atol=1e-6)
