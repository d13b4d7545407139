"""TensorFlow, as the tests that hold for every framework speak to it."""

import numpy as np
import reference
from d2l import tensorflow as d2l  # before TensorFlow, which it tells to be quiet

import tensorflow as tf  # isort: skip

#: The order in which Keras keeps the blocks of a layer's weights.
BLOCKS = {"SimpleRNN": "h", "GRU": "zrh", "LSTM": "ifco"}


def array(values):
    return tf.constant(np.asarray(values), dtype=tf.float32)


def numpy(tensor):
    return np.asarray(tensor)


def make(Layer, *sizes, **settings):
    """A layer or a model with weights of its own."""
    return Layer(*sizes, **settings)


def parameters(model):
    return {str(i): variable.numpy() for i, variable in enumerate(model.trainable_variables)}


def load(layer, weights):
    """Give a layer from scratch the weights, by their names in the text."""
    names = {name for name, value in vars(layer).items() if isinstance(value, tf.Variable)}
    assert names == weights.keys()
    for name, values in weights.items():
        getattr(layer, name).assign(array(values))


def load_concise(layer, *weights):
    """Give the framework's layer the weights of each of its layers or directions."""
    for part, own in zip(parts(layer), weights, strict=True):
        W_x, W_h, b, c = reference.join(own, BLOCKS[type(part).__name__])
        bias = np.stack([b, c]) if isinstance(part, tf.keras.layers.GRU) else b
        part.set_weights([W_x, W_h, bias])


def parts(layer):
    """The layers of Keras in a layer of the library, from bottom to top or forwards and backwards."""
    if isinstance(layer, d2l.BiRNN):
        return [layer.rnn.forward_layer, layer.rnn.backward_layer]
    return layer.layers if hasattr(layer, "layers") else [layer.rnn]
