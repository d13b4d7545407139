"""TensorFlow, as the tests that hold for every framework speak to it."""

import numpy as np
import reference
from d2l import tensorflow as d2l  # before TensorFlow, which it tells to be quiet

import tensorflow as tf  # isort: skip

#: The order in which Keras keeps the blocks of a layer's weights.
BLOCKS = {"SimpleRNN": "h", "GRU": "zrh", "LSTM": "ifco"}


def array(values):
    return tf.constant(np.asarray(values), dtype=tf.float32)


def tokens(rows):
    return tf.constant(np.asarray(rows), dtype=tf.int32)


def numpy(tensor):
    return np.asarray(tensor)


def seed(number):
    tf.keras.utils.set_random_seed(number)


def linear(num_inputs, num_outputs):
    """The framework's fully connected layer."""
    layer = tf.keras.layers.Dense(num_outputs)
    layer.build((None, num_inputs))
    return layer


def make(Layer, *sizes, **settings):
    """A layer or a model with weights of its own."""
    return Layer(*sizes, **settings)


def parameters(model):
    return {str(i): variable.numpy() for i, variable in enumerate(model.trainable_variables)}


def devices(model):
    """The devices that the parameters are on."""
    places = [
        tf.DeviceSpec.from_string(tf.convert_to_tensor(variable).device)
        for variable in model.trainable_variables
    ]
    return {f"/{place.device_type}:{place.device_index}" for place in places}


def fill(model, draw):
    """Give each parameter the values that `draw` returns for its shape."""
    for variable in model.trainable_variables:
        variable.assign(array(draw(tuple(variable.shape))))


def gradients(model, batch, clip_to=None):
    """The gradient of the loss of a minibatch, by parameters; clipped by a trainer if there is a limit."""
    with tf.GradientTape() as tape:
        loss = model.loss(model(*batch[:-1]), batch[-1])
    grads = tape.gradient(loss, model.trainable_variables)
    if clip_to is not None:
        grads = d2l.Trainer(max_epochs=1).clip_gradients(clip_to, grads)
    return {str(i): numpy(grad) for i, grad in enumerate(grads)}


def slope(function, values):
    """The gradient of a function that returns one number, at some values."""
    X = tf.Variable(array(values))
    with tf.GradientTape() as tape:
        result = function(X)
    return numpy(tape.gradient(result, X))


def rnn_gradients(layer, inputs, state):
    """The gradient of the mean square of a plain layer's outputs, by the names of its weights in the text."""
    if isinstance(layer, d2l.RNNScratch):
        weights = [layer.W_xh, layer.W_hh, layer.b_h]
    else:
        weights = layer.rnn.trainable_variables
    with tf.GradientTape() as tape:
        mean = tf.reduce_mean(layer(inputs, state)[0] ** 2)
    grads = tape.gradient(mean, weights)
    return dict(zip(("W_xh", "W_hh", "b_h"), map(numpy, grads), strict=True))


def run(layer, inputs, training):
    """The outputs of a layer that is in training, or not."""
    layer.train(training)
    return numpy(layer(inputs)[0])


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


def load_linear(linear, W, b):
    """Give the framework's fully connected layer its weights."""
    linear.set_weights([W, b])


def parts(layer):
    """The layers of Keras in a layer of the library, from bottom to top or forwards and backwards."""
    if isinstance(layer, d2l.BiRNN):
        return [layer.rnn.forward_layer, layer.rnn.backward_layer]
    return layer.layers if hasattr(layer, "layers") else [layer.rnn]
