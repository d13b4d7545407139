"""Recurrent layers: shapes, states, and the numbers of the equations."""

import numpy as np
import pytest
import tensorflow as tf
from d2l import tensorflow as d2l

NUM_STEPS, NUM_INPUTS, NUM_HIDDENS = 6, 5, 8
BATCH_SIZES = pytest.mark.parametrize("batch_size", [1, 2, 7])


def inputs_for(batch_size):
    return tf.random.normal((NUM_STEPS, batch_size, NUM_INPUTS))


def flat(state):
    """A state, which may be a list with one for each layer, as one array."""
    return np.stack(state) if isinstance(state, list) else np.asarray(state)


def numpy_rnn(inputs, H, W_xh, W_hh, b_h):
    """The states of a plain layer, written down from the equation of the chapter."""
    states = []
    for X in np.asarray(inputs):
        H = np.tanh(X @ np.asarray(W_xh) + H @ np.asarray(W_hh) + np.asarray(b_h))
        states.append(H)
    return np.stack(states)


def numpy_gru(inputs, H, cell):
    """The states of a layer of gated units, likewise; Keras puts the update gate first."""

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    b_x, b_h = np.asarray(cell.bias)
    states = []
    for X in np.asarray(inputs):
        x_z, x_r, x_h = np.split(X @ np.asarray(cell.kernel) + b_x, 3, axis=1)
        h_z, h_r, h_h = np.split(H @ np.asarray(cell.recurrent_kernel) + b_h, 3, axis=1)
        R, Z = sigmoid(x_r + h_r), sigmoid(x_z + h_z)
        H = Z * H + (1 - Z) * np.tanh(x_h + R * h_h)
        states.append(H)
    return np.stack(states)


@BATCH_SIZES
@pytest.mark.parametrize("with_state", [False, True])
def test_equal_weights_give_equal_outputs_states_and_gradients(batch_size, with_state):
    rnn, scratch = d2l.RNN(NUM_INPUTS, NUM_HIDDENS), d2l.RNNScratch(NUM_INPUTS, NUM_HIDDENS)
    cell = rnn.rnn.cell
    cell.bias.assign(tf.linspace(-1.0, 1.0, NUM_HIDDENS))
    weights = (cell.kernel, cell.recurrent_kernel, cell.bias)
    own_weights = [scratch.W_xh, scratch.W_hh, scratch.b_h]
    for own, their in zip(own_weights, weights, strict=True):
        own.assign(their)
    inputs = inputs_for(batch_size)
    H = tf.random.normal((batch_size, NUM_HIDDENS)) if with_state else None
    with tf.GradientTape(persistent=True) as tape:
        outputs, state = rnn(inputs, H[None] if with_state else None)
        own_outputs, own_state = scratch(inputs, H)
        loss, own_loss = tf.reduce_mean(outputs**2), tf.reduce_mean(own_outputs**2)
    expected = numpy_rnn(inputs, np.zeros((batch_size, NUM_HIDDENS)) if H is None else H.numpy(), *weights)
    np.testing.assert_allclose(outputs, expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose(own_outputs, expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose(state[0], expected[-1], rtol=0, atol=1e-5)
    np.testing.assert_allclose(own_state, expected[-1], rtol=0, atol=1e-5)
    theirs = tape.gradient(loss, [weight.value for weight in weights])
    for own, their in zip(tape.gradient(own_loss, own_weights), theirs, strict=True):
        np.testing.assert_allclose(own, their, rtol=0, atol=1e-5)


@BATCH_SIZES
@pytest.mark.parametrize("with_state", [False, True])
def test_the_gru_is_that_of_the_equations(batch_size, with_state):
    gru = d2l.GRU(NUM_INPUTS, NUM_HIDDENS, num_layers=2)
    for layer in gru.layers:
        layer.cell.bias.assign(tf.random.normal(layer.cell.bias.shape))  # c_h must count
    inputs = inputs_for(batch_size)
    H = float(with_state) * tf.random.normal((2, batch_size, NUM_HIDDENS))
    outputs, state = gru(inputs, H if with_state else None)
    expected, last = inputs, []
    for layer, H_0 in zip(gru.layers, H.numpy(), strict=True):
        expected = numpy_gru(expected, H_0, layer.cell)
        last.append(expected[-1])
    np.testing.assert_allclose(outputs, expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose(state, np.stack(last), rtol=0, atol=1e-5)


def test_equal_weights_give_equal_language_models():
    scratch = d2l.RNNLMScratch(d2l.RNNScratch(28, NUM_HIDDENS, sigma=0.5), vocab_size=28)
    concise = d2l.RNNLM(d2l.RNN(28, NUM_HIDDENS), vocab_size=28)
    cell = concise.rnn.rnn.cell
    cell.kernel.assign(scratch.rnn.W_xh)
    cell.recurrent_kernel.assign(scratch.rnn.W_hh)
    cell.bias.assign(scratch.rnn.b_h)
    concise.linear.kernel.assign(scratch.W_hq)
    concise.linear.bias.assign(scratch.b_q)
    X, Y = tf.random.uniform((2, 3, NUM_STEPS), maxval=28, dtype=tf.int32)
    np.testing.assert_allclose(scratch(X), concise(X), rtol=0, atol=1e-5)
    assert float(scratch.loss(scratch(X), Y)) == pytest.approx(float(concise.loss(concise(X), Y)), abs=1e-5)


def test_the_number_of_parameters_is_that_of_the_other_frameworks():
    def count(model):
        return sum(int(np.prod(v.shape)) for v in model.trainable_variables)

    assert count(d2l.RNNLMScratch(d2l.RNNScratch(28, 32), 28)) == 2876
    assert count(d2l.RNNLM(d2l.GRU(28, 32, 2), 28)) == 13_212


@BATCH_SIZES
@pytest.mark.parametrize("cut", [1, 4])
def test_going_on_from_the_returned_state_is_one_long_pass(make_layer, batch_size, cut):
    layer = make_layer(NUM_INPUTS, NUM_HIDDENS)
    inputs = inputs_for(batch_size)
    outputs, state = layer(inputs)
    assert outputs.shape == (NUM_STEPS, batch_size, NUM_HIDDENS)
    assert flat(state).shape[-2:] == (batch_size, NUM_HIDDENS)
    first, halfway = layer(inputs[:cut])
    second, end = layer(inputs[cut:], halfway)
    np.testing.assert_allclose(np.concatenate([first, second]), outputs, rtol=0, atol=1e-5)
    np.testing.assert_allclose(flat(end), flat(state), rtol=0, atol=1e-5)


def test_examples_of_a_minibatch_do_not_touch_each_other(make_layer):
    layer = make_layer(NUM_INPUTS, NUM_HIDDENS)
    inputs = inputs_for(7)
    np.testing.assert_allclose(layer(inputs)[0][:, 3:4], layer(inputs[:, 3:4])[0], rtol=0, atol=1e-5)


def test_the_last_output_is_the_state_of_the_top(make_layer):
    outputs, state = make_layer(NUM_INPUTS, NUM_HIDDENS)(inputs_for(2))
    state = flat(state)
    np.testing.assert_allclose(outputs[-1], state if state.ndim == 2 else state[-1], rtol=0, atol=1e-6)


@BATCH_SIZES
def test_every_layer_takes_a_tensor_or_a_list_of_steps(make_layer, batch_size):
    layer = make_layer(NUM_INPUTS, NUM_HIDDENS)
    inputs = inputs_for(batch_size)
    outputs, state = layer(inputs)
    own_outputs, own_state = layer(list(inputs))
    np.testing.assert_array_equal(own_outputs, outputs)
    np.testing.assert_array_equal(flat(own_state), flat(state))


def test_dropout_is_for_training_only():
    gru = d2l.GRU(NUM_INPUTS, NUM_HIDDENS, num_layers=2, dropout=0.5)
    inputs = inputs_for(2)
    assert not np.array_equal(gru(inputs)[0], gru(inputs)[0])
    gru.eval()
    np.testing.assert_array_equal(gru(inputs)[0], gru(inputs)[0])
    d2l.RNNLM(gru, 5).train()
    assert gru.training


@pytest.mark.parametrize("name", ["RNN", "BiRNN", "LSTM", "GRU"])
def test_dropout_inside_a_layer_is_for_training_only(name):
    wrapper = getattr(d2l, name)(NUM_INPUTS, NUM_HIDDENS)
    kind = getattr(tf.keras.layers, name if name in ("LSTM", "GRU") else "SimpleRNN")
    layer = kind(NUM_HIDDENS, dropout=0.5, return_sequences=True, return_state=True)
    if name in ("LSTM", "GRU"):
        wrapper.layers = [layer]
    else:
        wrapper.rnn = tf.keras.layers.Bidirectional(layer) if name == "BiRNN" else layer
    inputs = inputs_for(2)
    assert not np.array_equal(wrapper(inputs)[0], wrapper(inputs)[0])
    wrapper.eval()
    np.testing.assert_array_equal(wrapper(inputs)[0], wrapper(inputs)[0])
