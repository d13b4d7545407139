"""What recurrent layers do in TensorFlow only: lists of steps in all of them, dropout inside Keras' own."""

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


@BATCH_SIZES
def test_every_layer_takes_a_tensor_or_a_list_of_steps(make_layer, batch_size):
    layer = make_layer(NUM_INPUTS, NUM_HIDDENS)
    inputs = inputs_for(batch_size)
    outputs, state = layer(inputs)
    own_outputs, own_state = layer(list(inputs))
    np.testing.assert_array_equal(own_outputs, outputs)
    np.testing.assert_array_equal(flat(own_state), flat(state))


def test_a_model_tells_its_layer_that_it_is_trained():
    gru = d2l.GRU(NUM_INPUTS, NUM_HIDDENS)
    gru.eval()
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
