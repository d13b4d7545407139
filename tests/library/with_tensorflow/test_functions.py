"""What the function interface does in TensorFlow's own way: values in, variables changed, one graph."""

import re

import numpy as np
import pytest
from d2l import tensorflow as d2l  # before TensorFlow, which it tells to be quiet

import tensorflow as tf  # isort: skip

BOTH = {"return_sequences": True, "return_state": True}


def model(make=tf.keras.layers.SimpleRNN, **settings):
    return d2l.RNNModel(make(8, **BOTH, **settings), 9)


def batch():
    return [tf.random.uniform((2, 4), maxval=9, dtype=tf.int32) for _ in "XY"]


def trained_with(lr):
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return loss, tf.keras.optimizers.SGD(lr)


def test_clipping_returns_a_gradient_of_the_norm_that_was_asked_for():
    grads = [tf.constant([3.0, 0.0]), tf.constant([0.0, 4.0])]
    clipped = d2l.grad_clipping(grads, 1)
    np.testing.assert_allclose(clipped, [[0.6, 0], [0, 0.8]], atol=1e-6)
    np.testing.assert_array_equal(d2l.grad_clipping(grads, 6), grads)


def test_a_step_divides_by_the_batch_size():
    param = tf.Variable([0.0, 0.0])
    d2l.sgd([param], [tf.constant([2.0, -4.0])], lr=0.5, batch_size=2)
    assert param.numpy().tolist() == [-0.5, 1]


@pytest.mark.parametrize("reads", ["sequentially", "at random"])
def test_a_training_traces_its_step_once_for_each_model(monkeypatch, reads):
    traces, clip = [], d2l.grad_clipping
    monkeypatch.setattr(d2l, "grad_clipping", lambda grads, theta: traces.append(1) or clip(grads, theta))
    vocab = d2l.Vocab(list("abcdefgh"))
    for number in (1, 2):
        d2l.train_ch8(model(), [batch()] * 3, vocab, 1, 3, d2l.cpu(), reads == "at random")
        assert len(traces) == number


def test_dropout_works_in_training_only():
    net, vocab = model(tf.keras.layers.GRU, dropout=0.5), d2l.Vocab(list("abcdefgh"))
    assert len({d2l.predict_ch8("ab", 20, net, vocab) for _ in range(3)}) == 1
    d2l.train_epoch_ch8(net, [batch()], *trained_with(0.1), d2l.cpu(), False)
    X, _ = batch()
    outputs = [net(X, net.begin_state(batch_size=2))[0].numpy() for _ in range(2)]
    assert not np.array_equal(*outputs)


@pytest.mark.parametrize("missing", BOTH)
def test_a_layer_must_return_sequences_and_states(missing):
    with pytest.raises(ValueError, match="needs return_sequences=True and return_state=True"):
        d2l.RNNModel(tf.keras.layers.GRU(8, **BOTH | {missing: False}), 9)


def test_a_model_may_have_a_name_as_any_module():
    assert d2l.RNNModel(tf.keras.layers.GRU(8, **BOTH), 9, name="old").name == "old"


@pytest.mark.parametrize("dtype", [None, tf.float16])
def test_a_state_has_the_type_that_is_asked_for(dtype):
    nets = model(), d2l.RNNModelScratch(9, 8, lambda n, h: (tf.zeros((n, h)),), None, lambda *sizes: [])
    for net in nets:
        [H] = net.begin_state(batch_size=2, dtype=dtype)
        assert (H.shape, H.dtype) == ((2, 8), dtype or tf.float32)


@pytest.mark.parametrize("place", ["/CPU:0", d2l.cpu(), tf.distribute.OneDeviceStrategy("/cpu:0")])
def test_a_device_may_come_as_its_name_or_as_a_strategy(place, capsys):
    d2l.train_ch8(model(), [batch()], d2l.Vocab(list("abcdefgh")), 1, 1, place)
    assert "tokens/sec on /CPU:0\n" in capsys.readouterr().out
    with d2l.as_device(place):
        assert tf.zeros(1).device.endswith("/device:CPU:0")


@pytest.mark.parametrize("use_random_iter", [False, True])
def test_an_epoch_takes_the_arguments_of_programs_without_devices(monkeypatch, use_random_iter):
    begun, begin_state = [], d2l.RNNModel.begin_state
    monkeypatch.setattr(
        d2l.RNNModel, "begin_state", lambda *args, **named: begun.append(1) or begin_state(*args, **named)
    )
    expected = 3 if use_random_iter else 1
    d2l.train_epoch_ch8(model(), [batch()] * 3, *trained_with(0.1), use_random_iter)
    assert len(begun) == expected
    d2l.train_epoch_ch8(model(), [batch()] * 3, *trained_with(0.1), use_random_iter=use_random_iter)
    assert len(begun) == 2 * expected


#: Cells as notebooks for TensorFlow had them: a strategy, functions that go through a tensor with a loop,
#: classes of their own, a call without a device.
NOTEBOOK = """
import tensorflow as tf
from d2l import tensorflow as d2l
{without_keras_2}
train_iter, vocab = d2l.load_data_time_machine(4, 8, max_tokens=500)
size = len(vocab)
strategy = tf.distribute.OneDeviceStrategy(str(d2l.try_gpu()))

def make_params(num_inputs, num_hiddens):
    draw = lambda *shape: tf.Variable(tf.random.normal(shape, 0, 0.1))
    return [draw(num_inputs, num_hiddens), draw(num_hiddens, num_hiddens), draw(num_hiddens, num_inputs)]

def start(batch_size, num_hiddens):
    return (tf.zeros((batch_size, num_hiddens)),)

def run(inputs, state, params):
    U, W, V = params
    H, = state
    scores = []
    for X in inputs:
        X = tf.reshape(X, [-1, U.shape[0]])
        H = tf.tanh(tf.matmul(X, U) + tf.matmul(H, W))
        scores.append(tf.matmul(H, V))
    return tf.concat(axis=0, values=scores), (H,)

class Plain:
    def __init__(self):
        self.trainable_variables = make_params(size, 16)

    def __call__(self, X, state):
        X = tf.one_hot(tf.transpose(X), size)
        return run(X, state, self.trainable_variables)

    def begin_state(self, batch_size, *args, **kwargs):
        return start(batch_size, 16)

class Layered(tf.keras.layers.Layer):
    def __init__(self, rnn):
        super().__init__()
        self.rnn, self.out = rnn, tf.keras.layers.Dense(size)

    def call(self, inputs, state):
        Y, *state = self.rnn(tf.one_hot(tf.transpose(inputs), size), state)
        return self.out(tf.reshape(Y, (-1, Y.shape[-1]))), state

    def begin_state(self, *args, **kwargs):
        return self.rnn.cell.get_initial_state(*args, **kwargs)

with strategy.scope():
    nets = [d2l.RNNModelScratch(size, 16, start, run, make_params), Plain()]
    if not {without_keras_2!r}:
        layer = tf.keras.layers.RNN(
            tf.keras.layers.SimpleRNNCell(16), time_major=True, return_sequences=True, return_state=True)
        Y, state = layer(tf.zeros((8, 4, size)), layer.cell.get_initial_state(batch_size=4, dtype=tf.float32))
        nets += [Layered(layer), d2l.RNNModel(layer, size)]
for net in nets:
    print('text', d2l.predict_ch8('time', 3, net, vocab))
    d2l.train_ch8(net, train_iter, vocab, 1, 9, strategy)
    with strategy.scope():
        loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        updater = tf.keras.optimizers.SGD(1.0)
    ppl, speed = d2l.train_epoch_ch8(net, train_iter, loss, updater, False)
    print('then', ppl)
"""


@pytest.mark.parametrize("keras", [2, 3])
def test_cells_of_an_old_notebook_train(run_script, keras):
    settings = {"TF_USE_LEGACY_KERAS": "1"} if keras == 2 else {}
    lines = run_script(NOTEBOOK.format(without_keras_2="#" * (keras == 3)), **settings).splitlines()
    count = 4 if keras == 2 else 2
    assert len([line for line in lines if line.startswith("text time")]) == count
    first = [float(line.split()[2]) for line in lines if line.startswith("train_ppl")]
    then = [float(line.split()[1]) for line in lines if line.startswith("then")]
    assert len(first) == len(then) == count
    assert all(late < 0.95 * early for early, late in zip(first, then, strict=True))
    assert len([line for line in lines if re.search("tokens/sec on /(CPU|GPU):0$", line)]) == count
