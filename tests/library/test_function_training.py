"""Training by way of functions, in every framework: epochs, states, perplexity, prediction."""

import math
import random
import re
from pathlib import Path

import numpy as np
import pytest

CHAPTER = Path(__file__).parents[2] / "chapters" / "en" / "classic-interface.md"
NUM_HIDDENS, BATCH_SIZE, NUM_STEPS = 16, 4, 8


class PyTorch:
    """How models are made in PyTorch, and what has to be asked of the framework."""

    layers = ("RNN", "GRU", "LSTM", "deep", "both ways")

    def scratch(self, functions, vocab_size, seed):
        import torch

        torch.manual_seed(seed)
        return self.d2l.RNNModelScratch(vocab_size, NUM_HIDDENS, self.d2l.cpu(), *functions)

    def concise(self, layer, vocab_size, seed):
        import torch
        from torch import nn

        torch.manual_seed(seed)
        make, how = {
            "RNN": (nn.RNN, {}),
            "GRU": (nn.GRU, {}),
            "LSTM": (nn.LSTM, {}),
            "deep": (nn.LSTM, {"num_layers": 2}),
            "both ways": (nn.GRU, {"bidirectional": True}),
        }[layer]
        return self.d2l.RNNModel(make(vocab_size, NUM_HIDDENS, **how), vocab_size)

    def begin_state(self, net, batch_size):
        return net.begin_state(batch_size=batch_size, device=self.d2l.cpu())

    def parameters(self, net):
        return [parameter.detach().numpy().copy() for parameter in self.d2l.parameters_of(net)]

    def layer_in(self, rnn):
        return rnn.rnn

    def tokens(self, rows):
        import torch

        return torch.tensor(rows)

    def trained_with(self, net, lr):
        import torch

        return torch.nn.CrossEntropyLoss(), torch.optim.SGD(self.d2l.parameters_of(net), lr)


class TensorFlow:
    """How models are made in TensorFlow, and what has to be asked of the framework."""

    layers = ("RNN", "GRU", "LSTM", "deep", "both ways")

    def begin_state(self, net, batch_size):
        return net.begin_state(batch_size=batch_size, device=self.d2l.cpu())

    def scratch(self, functions, vocab_size, seed):
        import tensorflow as tf

        tf.keras.utils.set_random_seed(seed)
        get_params, init_state, forward_fn = functions
        return self.d2l.RNNModelScratch(vocab_size, NUM_HIDDENS, init_state, forward_fn, get_params)

    def concise(self, layer, vocab_size, seed):
        import tensorflow as tf

        state = random.getstate()  # The minibatches are drawn with it
        tf.keras.utils.set_random_seed(seed)
        random.setstate(state)
        keras, settings = tf.keras.layers, {"return_sequences": True, "return_state": True}
        make = {
            "RNN": lambda: keras.SimpleRNN(NUM_HIDDENS, **settings),
            "GRU": lambda: keras.GRU(NUM_HIDDENS, **settings),
            "LSTM": lambda: keras.LSTM(NUM_HIDDENS, **settings),
            "deep": lambda: keras.RNN([keras.LSTMCell(NUM_HIDDENS) for _ in range(2)], **settings),
            "both ways": lambda: keras.Bidirectional(keras.GRU(NUM_HIDDENS, **settings)),
        }[layer]
        return self.d2l.RNNModel(make(), vocab_size)

    def parameters(self, net):
        return [variable.numpy() for variable in net.trainable_variables]

    def layer_in(self, rnn):
        return rnn.rnn

    def tokens(self, rows):
        import tensorflow as tf

        return tf.constant(rows)

    def trained_with(self, net, lr):
        import tensorflow as tf

        loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        return loss, tf.keras.optimizers.SGD(float(lr))


class Jax:
    """How models are made in JAX, and what has to be asked of the framework."""

    layers = ("RNN", "GRU", "LSTM", "deep")

    def scratch(self, functions, vocab_size, seed):
        import jax

        key = jax.random.key(seed)
        return self.d2l.RNNModelScratch(vocab_size, NUM_HIDDENS, self.d2l.cpu(), *functions, key=key)

    def concise(self, layer, vocab_size, seed):
        import jax

        rnn_key, model_key = jax.random.split(jax.random.key(seed))
        rnn = {
            "RNN": lambda: self.d2l.RNN(vocab_size, NUM_HIDDENS, key=rnn_key),
            "GRU": lambda: self.d2l.GRU(vocab_size, NUM_HIDDENS, 1, key=rnn_key),
            "LSTM": lambda: self.d2l.LSTM(vocab_size, NUM_HIDDENS, key=rnn_key),
            "deep": lambda: self.d2l.GRU(vocab_size, NUM_HIDDENS, 2, key=rnn_key),
        }[layer]()
        return self.d2l.RNNModel(rnn, vocab_size, key=model_key)

    def begin_state(self, net, batch_size):
        return net.begin_state(batch_size=batch_size, device=self.d2l.cpu())

    def parameters(self, net):
        import jax
        from flax import nnx

        return [np.asarray(leaf) for leaf in jax.tree.leaves(nnx.state(net, nnx.Param))]

    def layer_in(self, rnn):
        return rnn

    def tokens(self, rows):
        from jax import numpy as jnp

        return jnp.array(rows)

    def trained_with(self, net, lr):
        import optax
        from flax import nnx

        updater = nnx.Optimizer(net, optax.sgd(lr), wrt=nnx.Param)
        return optax.softmax_cross_entropy_with_integer_labels, updater


class MxNet:
    """How models are made in MXNet, and what has to be asked of the framework."""

    layers = ("RNN", "GRU", "LSTM", "deep", "both ways")

    def scratch(self, functions, vocab_size, seed):
        from mxnet import npx

        npx.set_np()
        npx.random.seed(seed)
        return self.d2l.RNNModelScratch(vocab_size, NUM_HIDDENS, self.d2l.cpu(), *functions)

    def concise(self, layer, vocab_size, seed):
        from mxnet import init, npx
        from mxnet.gluon import rnn

        npx.set_np()
        npx.random.seed(seed)
        make, how = {
            "RNN": (rnn.RNN, {"activation": "tanh"}),
            "GRU": (rnn.GRU, {}),
            "LSTM": (rnn.LSTM, {}),
            "deep": (rnn.LSTM, {"num_layers": 2}),
            "both ways": (rnn.GRU, {"bidirectional": True}),
        }[layer]
        net = self.d2l.RNNModel(make(NUM_HIDDENS, **how), vocab_size)
        net.initialize(init.Xavier())
        net(self.tokens([[0]]), net.begin_state())  # shows the sizes, so that there are values
        return net

    def begin_state(self, net, batch_size):
        return net.begin_state(batch_size=batch_size, ctx=self.d2l.cpu())

    def parameters(self, net):
        return [parameter.asnumpy() for parameter in self.d2l.parameters_of(net)]

    def layer_in(self, rnn):
        return rnn.rnn

    def tokens(self, rows):
        from mxnet import np as mxnp

        return mxnp.array(rows, dtype="int32")

    def trained_with(self, net, lr):
        from mxnet import gluon

        loss = gluon.loss.SoftmaxCrossEntropyLoss()
        return loss, lambda batch_size: self.d2l.sgd(self.d2l.parameters_of(net), lr, batch_size)


WAYS = {"pytorch": PyTorch, "tensorflow": TensorFlow, "jax": Jax, "mxnet": MxNet}


@pytest.fixture
def way(framework, d2l):
    """The framework's way, and its library."""
    way = WAYS[framework]()
    way.d2l = d2l
    return way


@pytest.fixture(scope="session")
def functions(framework):
    """The three functions of a model that the chapter writes for itself, from its cells."""
    text = CHAPTER.read_text(encoding="utf-8")
    cells = re.findall(r"^#@tab ([\w, ]+)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    names = {}
    for tabs, cell in cells:
        if {framework, "all"} & set(tabs.split(", ")) and cell.startswith(
            ("import ", "from d2l import ", "def get_params", "def rnn")
        ):
            exec(cell, names)  # noqa: S102 - the chapter is our own
    return names["get_params"], names["init_rnn_state"], names["rnn"]


@pytest.fixture(params=["scratch", "RNN", "GRU", "LSTM", "deep", "both ways"])
def make(request, way, functions):
    """Makes a model of each kind from the size of the vocabulary."""
    if request.param not in ("scratch", *way.layers):
        pytest.skip("not in this framework")

    def make(vocab_size, seed=0):
        if request.param == "scratch":
            return way.scratch(functions, vocab_size, seed)
        return way.concise(request.param, vocab_size, seed)

    return make


@pytest.fixture
def net(way):
    """A small model on the framework's layer."""
    return lambda vocab_size, seed=0: way.concise("RNN", vocab_size, seed)


@pytest.fixture
def data(d2l, book, story):
    """Twenty lines of the story, in minibatches."""
    book("\n".join([line for line in story.splitlines() if line][:20]))
    random.seed(0)
    return d2l.load_data_time_machine(BATCH_SIZE, NUM_STEPS)


def leaves(state):
    """The arrays of a state."""
    return [leaf for part in state for leaf in leaves(part)] if isinstance(state, (list, tuple)) else [state]


def test_outputs_are_ordered_by_time_and_the_state_can_be_fed_back(d2l, way, make, request):
    if "both ways" in request.node.name:
        pytest.skip("a layer that reads backwards cannot go on")
    model = make(9)
    tokens = np.array([[1, 2, 3, 4, 5], [6, 7, 8, 0, 1], [2, 3, 4, 5, 6]])
    outputs, state = model(way.tokens(tokens), way.begin_state(model, 3))
    assert tuple(outputs.shape) == (5 * 3, 9)
    first, halfway = model(way.tokens(tokens[:, :2]), way.begin_state(model, 3))
    second, end = model(way.tokens(tokens[:, 2:]), halfway)
    rows = np.concatenate([d2l.numpy(first), d2l.numpy(second)])
    np.testing.assert_allclose(rows, d2l.numpy(outputs), atol=1e-5)
    assert [leaf.shape for leaf in leaves(end)] == [leaf.shape for leaf in leaves(state)]


def test_every_parameter_changes_in_one_step(d2l, way, make, data):
    train_iter, vocab = data
    model = make(len(vocab))
    before = way.parameters(model)
    step = [next(iter(train_iter))]
    d2l.train_epoch_ch8(model, step, *way.trained_with(model, lr=1), d2l.cpu(), use_random_iter=False)
    after = way.parameters(model)
    assert before
    assert not [True for old, new in zip(before, after, strict=True) if np.array_equal(old, new)]
    moved = math.sqrt(sum(float(((old - new) ** 2).sum()) for old, new in zip(before, after, strict=True)))
    assert moved <= 1 + 1e-5  # The gradient is clipped, and the learning rate is 1


def test_a_long_gradient_is_clipped_before_the_step(d2l, way, make, data):
    train_iter, vocab = data
    model = make(len(vocab))
    loss, updater = way.trained_with(model, lr=1)
    before = way.parameters(model)
    step = [next(iter(train_iter))]
    d2l.train_epoch_ch8(model, step, lambda *args: 100 * loss(*args), updater, d2l.cpu(), False)
    steps = [old - new for old, new in zip(before, way.parameters(model), strict=True)]
    assert math.sqrt(sum(float((step**2).sum()) for step in steps)) == pytest.approx(1, rel=1e-3)


@pytest.mark.parametrize("use_random_iter", [False, True])
def test_a_text_that_is_too_short_is_named(d2l, way, net, use_random_iter):
    vocab = d2l.Vocab(list("abcdefgh"))
    model = net(len(vocab))
    iterate = d2l.seq_data_iter_random if use_random_iter else d2l.seq_data_iter_sequential
    with pytest.raises(ValueError, match="the text is too short for this batch_size and num_steps"):
        d2l.train_epoch_ch8(
            model, iterate([1] * 9, 4, 8), *way.trained_with(model, 1), d2l.cpu(), use_random_iter
        )
    with pytest.raises(ValueError, match="too short"):
        d2l.train_ch8(model, [], vocab, 1, 2, d2l.cpu(), use_random_iter)


def test_no_epochs_train_nothing(d2l, way, net, data, capsys):
    train_iter, vocab = data
    model = net(len(vocab))
    before = way.parameters(model)
    d2l.train_ch8(model, train_iter, vocab, 1, 0, d2l.cpu())
    assert all(np.array_equal(*pair) for pair in zip(before, way.parameters(model), strict=True))
    assert capsys.readouterr().out == ""


def test_training_lowers_the_perplexity_and_tells_it(d2l, make, data, capsys):
    train_iter, vocab = data
    model = make(len(vocab))
    d2l.train_ch8(model, train_iter, vocab, 1, 30, d2l.cpu())
    head, row, report, *texts = capsys.readouterr().out.splitlines()
    assert head.split()[0] == "ppl"
    _, points, first, last = row.split()
    assert points == "4"
    assert float(last) < 0.8 * float(first) <= 40
    assert re.fullmatch(r"perplexity \d+\.\d, \d+\.\d tokens/sec on (cpu|/CPU:0)", report)
    assert float(report.split()[1].rstrip(",")) == pytest.approx(float(last), abs=0.06)
    assert [
        text.startswith(prefix) for text, prefix in zip(texts, ("time traveller", "traveller"), strict=True)
    ]
    assert [len(text) for text in texts] == [64, 59]


def test_the_perplexity_is_the_exponential_of_the_mean_cross_entropy(d2l, way, net, data):
    train_iter, vocab = data
    model = net(len(vocab))
    loss, updater = way.trained_with(model, lr=0.0)
    X, Y = batch = next(iter(train_iter))
    outputs, _ = model(X, way.begin_state(model, BATCH_SIZE))
    outputs, targets = d2l.numpy(outputs), d2l.numpy(Y).T.reshape(-1)
    entropies = np.log(np.exp(outputs).sum(axis=1)) - outputs[np.arange(len(targets)), targets]
    expected = math.exp(entropies.mean())
    ppl, speed = d2l.train_epoch_ch8(model, [batch], loss, updater, d2l.cpu(), False)
    assert ppl == pytest.approx(expected, rel=1e-5)
    assert speed > 0


@pytest.mark.parametrize("use_random_iter", [False, True])
def test_only_sequential_minibatches_carry_the_state(way, net, data, monkeypatch, use_random_iter):
    d2l, (train_iter, vocab) = way.d2l, data
    model, begun = net(len(vocab)), []
    begin_state = type(model).begin_state

    def count(self, *args, **kwargs):
        begun.append(kwargs)
        return begin_state(self, *args, **kwargs)

    monkeypatch.setattr(type(model), "begin_state", count)
    batches = list(train_iter)[:5]
    d2l.train_epoch_ch8(model, batches, *way.trained_with(model, lr=0.1), d2l.cpu(), use_random_iter)
    assert len(begun) == (5 if use_random_iter else 1)


def test_the_same_seeds_give_the_same_training(d2l, net, data, capsys):
    train_iter, vocab = data

    def train(seed):
        random.seed(seed)
        d2l.train_ch8(net(len(vocab), seed), train_iter, vocab, 1, 3, d2l.cpu())
        return re.sub(r"[\d.]+ tokens/sec", "", capsys.readouterr().out)

    first = train(0)
    assert first == train(0)
    assert first != train(1)


def test_a_smoke_run_ends_after_two_minibatches(d2l, net, data, monkeypatch, capsys):
    train_iter, vocab = data
    seen = []
    train_epoch = d2l.train_epoch_ch8

    def count(net, train_iter, *args):
        seen.append(len(train_iter))
        return train_epoch(net, train_iter, *args)

    monkeypatch.setattr(d2l, "train_epoch_ch8", count)
    monkeypatch.setenv("D2L_SMOKE", "1")
    d2l.train_ch8(net(len(vocab)), train_iter, vocab, 1, 500, d2l.cpu())
    assert seen == [2]
    assert "perplexity" in capsys.readouterr().out


def test_a_prefix_keeps_characters_that_the_vocabulary_lacks(d2l, net):
    vocab = d2l.Vocab(list("abcdefgh"))
    text = d2l.predict_ch8("a!é", 4, net(len(vocab)), vocab, d2l.cpu())
    assert text.startswith("a!é")


def test_prediction_goes_on_from_the_prefix(d2l, way, make, request):
    if "both ways" in request.node.name:
        pytest.skip("a layer that reads backwards sees other text when it reads on")
    vocab = d2l.Vocab(list("abcdefgh"))
    model = make(len(vocab))
    text = d2l.predict_ch8("abc", 6, model, vocab, d2l.cpu())
    tokens = vocab[list("abc")]
    for _ in range(6):
        outputs, _ = model(way.tokens([tokens]), way.begin_state(model, 1))
        tokens.append(int(d2l.numpy(outputs)[-1].argmax()))
    assert text == "".join(vocab.to_tokens(tokens))
    assert text.startswith("abc")
    with pytest.raises(ValueError, match="at least one"):
        d2l.predict_ch8("", 3, model, vocab, d2l.cpu())


@pytest.mark.parametrize("batch_size", [1, 3])
def test_a_model_of_functions_and_one_of_classes_give_the_same_numbers(d2l, adapter, way, batch_size):
    model = adapter.make(d2l.RNNLM, adapter.make(d2l.RNN, 9, 8), 9)
    net = adapter.make(d2l.RNNModel, way.layer_in(model.rnn), 9)
    net.linear = model.linear
    X = way.tokens(np.random.default_rng(0).integers(9, size=(batch_size, 5)))
    outputs, _ = net(X, way.begin_state(net, batch_size))
    by_step = d2l.numpy(outputs).reshape(5, batch_size, 9)
    np.testing.assert_allclose(by_step.swapaxes(0, 1), d2l.numpy(model(X)), rtol=1.3e-6, atol=1e-5)
    vocab = d2l.Vocab(list("abcdefgh"))
    assert d2l.predict_ch8("ab", 9, net, vocab, d2l.cpu()) == model.predict("ab", 9, vocab)
