"""Language models in every framework: outputs, loss, and the text they write."""

import math

import numpy as np
import pytest

#: How far the perplexity of a new model may be from the size of the vocabulary: initial weights differ.
NEAR = {"pytorch": 0.05, "mxnet": 0.15, "tensorflow": 0.2, "jax": 0.15}

#: How much the numbers of a compiled training step may differ from those of the same model by itself.
ROUNDING = {"pytorch": 1e-6, "mxnet": 1e-6, "tensorflow": 1e-5, "jax": 1e-5}


@pytest.fixture(scope="module")
def vocab(d2l):
    return d2l.Vocab(list("the time traveller for so it will be convenient to speak of him"))


@pytest.fixture(scope="module")
def model(adapter, make_model, vocab):
    """A model of each kind that no test changes."""
    adapter.seed(0)
    return make_model(len(vocab))


@pytest.fixture
def draw_tokens(adapter):
    """Draws tokens, as an array of a shape, for a vocabulary of some size."""
    generator = np.random.default_rng(0)
    return lambda vocab_size, *shape: adapter.tokens(generator.integers(vocab_size, size=shape))


def test_outputs_have_the_order_of_axes_of_the_targets(adapter, model, vocab, draw_tokens):
    X = draw_tokens(len(vocab), 3, 5)
    one_hot = adapter.numpy(model.one_hot(X))
    assert one_hot.shape == (5, 3, len(vocab))
    np.testing.assert_array_equal(one_hot.argmax(2), adapter.numpy(X).T)
    assert model(X).shape == (3, 5, len(vocab))


def test_an_output_depends_on_nothing_that_comes_later(adapter, model, vocab, draw_tokens):
    X = adapter.numpy(draw_tokens(len(vocab), 2, 8))
    changed = X.copy()
    changed[:, 5] = (X[:, 5] + 1) % len(vocab)
    before, after = (adapter.numpy(model(adapter.tokens(tokens))) for tokens in (X, changed))
    np.testing.assert_allclose(before[:, :5], after[:, :5], rtol=1e-6, atol=1e-6)
    assert not np.allclose(before[:, 5:], after[:, 5:], atol=1e-6)


def test_the_loss_is_the_mean_over_all_examples_and_steps(adapter, model):
    Y_hat, Y = np.random.default_rng(0).normal(size=(2, 3, 4)), [[0, 1, 2], [3, 1, 1]]
    p = np.exp(Y_hat) / np.exp(Y_hat).sum(axis=2, keepdims=True)
    mean = sum(-math.log(p[i, t, Y[i][t]]) for i in range(2) for t in range(3)) / 6
    loss = model.loss(adapter.array(Y_hat), adapter.tokens(Y))
    assert float(adapter.numpy(loss)) == pytest.approx(mean, rel=2e-6)


def test_the_gradient_of_the_loss_is_softmax_minus_target(adapter, model):
    Y_hat, Y = np.random.default_rng(0).normal(size=(2, 3, 4)), [[0, 1, 2], [3, 1, 1]]
    softmax = np.exp(Y_hat) / np.exp(Y_hat).sum(axis=2, keepdims=True)
    found = adapter.slope(lambda Y_hat: model.loss(Y_hat, adapter.tokens(Y)), Y_hat)
    np.testing.assert_allclose(found, (softmax - np.eye(4)[Y]) / 6, rtol=0, atol=1e-6)


def test_the_loss_of_outputs_far_apart_is_finite(adapter, model):
    Y_hat = np.array([[[1e4, 0, -1e4]]])
    losses = [float(adapter.numpy(model.loss(adapter.array(Y_hat), adapter.tokens([[y]])))) for y in range(3)]
    np.testing.assert_allclose(losses, [0, 1e4, 2e4], rtol=1e-6, atol=1e-5)


def perplexity_of(d2l, adapter, model, X, Y):
    return d2l.perplexity(float(adapter.numpy(model.loss(model(X), Y))))


def test_uniform_guessing_among_28_has_perplexity_28(d2l, adapter, make_model, draw_tokens):
    model = make_model(28)
    adapter.fill(model, np.zeros)
    X, Y = draw_tokens(28, 4, 5), draw_tokens(28, 4, 5)
    assert perplexity_of(d2l, adapter, model, X, Y) == pytest.approx(28, rel=1e-5)


@pytest.mark.parametrize("kind", ["scratch", "concise", "gru"])
def test_a_new_model_is_near_the_size_of_the_vocabulary(d2l, adapter, framework, draw_tokens, kind):
    Model = d2l.RNNLMScratch if kind == "scratch" else d2l.RNNLM
    Layer = {"scratch": d2l.RNNScratch, "concise": d2l.RNN, "gru": d2l.GRU}[kind]
    layer = adapter.make(Layer, 28, 32, **({"num_layers": 2} if kind == "gru" else {}))
    model = adapter.make(Model, layer, 28)
    X, Y = draw_tokens(28, 64, 32), draw_tokens(28, 64, 32)
    assert perplexity_of(d2l, adapter, model, X, Y) == pytest.approx(28, rel=NEAR[framework])


def test_a_perplexity_in_the_plot_is_the_exponential_of_the_mean_cross_entropy(
    d2l, adapter, framework, make_model, lines
):
    data = lines(batch_size=20, num_train=60, num_val=60)
    model = make_model(len(data.vocab), lr=0.0)
    d2l.Trainer(max_epochs=2).fit(model, data)
    losses = [float(adapter.numpy(model.loss(model(X), Y))) for X, Y in data.val_dataloader()]
    expected = pytest.approx(math.exp(sum(losses) / 3), rel=ROUNDING[framework])
    assert model.board.curves["val_ppl"] == [(1, expected), (2, expected)]


def without_unknown(text):
    """A text whose unknown tokens are one character long."""
    return text.replace("<unk>", "?")


@pytest.mark.parametrize("prefix", ["t", "it", "the time"])
def test_a_prefix_is_continued_with_the_most_probable_characters(adapter, model, vocab, prefix):
    text = model.predict(prefix, 12, vocab)
    tokens = vocab[list(without_unknown(text))]
    # Reads everything again instead of keeping the state; no output depends on what comes later
    outputs = adapter.numpy(model(adapter.tokens([tokens])))[0]
    assert tokens == vocab[list(prefix)] + outputs[len(prefix) - 1 : -1].argmax(1).tolist()
    for num_preds in (0, 1):
        shorter = vocab.to_tokens(tokens[: len(prefix) + num_preds])
        assert model.predict(prefix, num_preds, vocab) == "".join(shorter)


def test_a_prediction_has_the_wanted_length(model, vocab):
    text = model.predict("it will", 20, vocab)
    assert text.startswith("it will")
    assert len(without_unknown(text)) == len("it will") + 20


def test_a_prefix_is_kept_as_it_was_written(model, vocab):
    text = model.predict("It has?", 5, vocab)
    assert text.startswith("It has?")
    assert len(without_unknown(text)) == len("It has?") + 5


def test_a_prediction_is_the_same_every_time_and_changes_no_parameter(adapter, model, vocab):
    before = adapter.parameters(model)
    assert model.predict("so", 20, vocab) == model.predict("so", 20, vocab)
    after = adapter.parameters(model)
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_a_prediction_is_not_disturbed_by_dropout(d2l, adapter, vocab):
    gru = adapter.make(d2l.GRU, len(vocab), 16, num_layers=2, dropout=0.9)
    model = adapter.make(d2l.RNNLM, gru, len(vocab))
    if hasattr(model, "train"):
        model.train()
    assert model.predict("so", 20, vocab) == model.predict("so", 20, vocab)


def test_a_prediction_takes_a_device(d2l, model, vocab):
    assert model.predict("so", 5, vocab, d2l.cpu()) == model.predict("so", 5, vocab)


def test_an_unknown_character_is_read_as_the_unknown_token_and_kept(model, vocab):
    assert model.predict("it?", 3, vocab) == "it?" + model.predict("it!", 3, vocab)[3:]


def test_a_prediction_without_a_prefix_is_a_clear_error(model, vocab):
    with pytest.raises(ValueError, match="the prefix must have at least one character"):
        model.predict("", 5, vocab)
