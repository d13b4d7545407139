"""Both libraries' models in TensorFlow."""

import importlib
import os

import tensorflow as tf
from steps import STATES, STEPS, stacked, weights, zeros

#: The cell of the concise model.
CONCISE = "RNN"


def load(upstream):
    """Return the library; upstream's layers have the time axis first, which needs Keras 2."""
    if upstream:
        os.environ["TF_USE_LEGACY_KERAS"] = "1"
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.random.set_seed(0)
    return importlib.import_module("d2l.tensorflow")


def wait():
    """All is done when a call returns."""


def product(size):
    A, B = tf.random.normal((size, size)), tf.random.normal((size, size))
    return lambda: (A @ B).numpy()  # noqa: PLW0108 -- the product is what is measured


def language_model(d2l, kind, num_inputs, upstream):
    if kind == "scratch":
        return d2l.RNNLMScratch(d2l.RNNScratch(num_inputs, 32), num_inputs, lr=1.0)
    if kind == "scratch, tokens":
        rnn = d2l.TokenRNNScratch(num_inputs, 32)
        return d2l.TokenRNNLMScratch(rnn, num_inputs, lr=1.0)
    if kind == "concise":
        rnn = d2l.RNN(32) if upstream else d2l.RNN(num_inputs, 32)
        return d2l.RNNLM(rnn, num_inputs, lr=1.0)
    if kind == "deep scratch":
        return d2l.RNNLMScratch(stacked(d2l, list, tf.stack)(num_inputs, 32, 2), num_inputs, lr=2.0)
    rnn = deep_gru(d2l)(32, 2) if upstream else d2l.GRU(num_inputs, 32, 2)
    return d2l.RNNLM(rnn, num_inputs, lr=2.0)


def deep_gru(d2l):
    """Return the class of the GRU of several layers, as upstream's chapters write it."""

    class DeepGRU(d2l.RNN):
        def __init__(self, num_hiddens, num_layers):
            d2l.Module.__init__(self)
            self.save_hyperparameters()
            cells = [tf.keras.layers.GRUCell(num_hiddens) for _ in range(num_layers)]
            self.rnn = tf.keras.layers.RNN(cells, return_sequences=True, return_state=True, time_major=True)

        def forward(self, X, state=None):
            outputs, *state = self.rnn(X, state)
            return outputs, state

    return DeepGRU


def trainer_ch8(d2l, kind, num_inputs, num_hiddens, upstream):
    """Return a function that trains a model for an epoch on a list of minibatches."""
    cell = kind.split()[0]
    if "scratch" in kind:
        init_state, forward, get_params = functions(cell)
        net = d2l.RNNModelScratch(num_inputs, num_hiddens, init_state, forward, get_params)
    else:
        net = d2l.RNNModel(layer(cell, num_hiddens, upstream), num_inputs)
    updater = tf.keras.optimizers.SGD(1.0)
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    if upstream:
        return lambda batches: d2l.train_epoch_ch8(net, batches, loss, updater, False)
    return lambda batches: d2l.train_epoch_ch8(net, batches, loss, updater, d2l.cpu(), False)


def layer(cell, num_hiddens, upstream):
    """Return the framework's own layer; ours unrolled, as in the chapter on the function interface."""
    name = "SimpleRNN" if cell == "RNN" else cell
    if upstream:
        cell = getattr(tf.keras.layers, f"{name}Cell")(num_hiddens)
        return tf.keras.layers.RNN(cell, time_major=True, return_sequences=True, return_state=True)
    make = getattr(tf.keras.layers, name)
    return make(num_hiddens, return_sequences=True, return_state=True, unroll=True)


def functions(cell):
    """Return the functions that `RNNModelScratch` is made of."""
    step = STEPS[cell]

    def get_params(vocab_size, num_hiddens):
        return [tf.Variable(a) for a in weights(cell, vocab_size, num_hiddens)]

    def init_state(batch_size, num_hiddens):
        return tuple(tf.constant(zeros(batch_size, num_hiddens)) for _ in range(STATES[cell]))

    def forward(inputs, state, params):
        *own, W_hq, b_q = params
        outputs = []
        for X in tf.unstack(inputs):
            state, H = step(X, state, own, tf.tanh, tf.sigmoid)
            outputs.append(H)
        return tf.concat(outputs, axis=0) @ W_hq + b_q, state

    return init_state, forward, get_params
