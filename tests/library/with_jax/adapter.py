"""JAX, as the tests that hold for every framework speak to it."""

import jax
import numpy as np
import reference
from d2l import jax as d2l
from flax import nnx
from jax import numpy as jnp

#: The key from which the next layer's is split off.
KEYS = [jax.random.key(0)]

#: The layers in Flax's cell of an LSTM, for the input and for the state, by the letters of the text.
LSTM = {"i": ("ii", "hi"), "f": ("if_", "hf"), "c": ("ig", "hg"), "o": ("io", "ho")}


def array(values):
    return jnp.asarray(np.asarray(values), dtype=jnp.float32)


def tokens(rows):
    return jnp.asarray(np.asarray(rows), dtype=jnp.int32)


def numpy(values):
    return np.asarray(values)


def seed(number):
    KEYS[:] = [jax.random.key(number)]


def linear(num_inputs, num_outputs):
    """The framework's fully connected layer."""
    KEYS[0], key = jax.random.split(KEYS[0])
    return nnx.Linear(num_inputs, num_outputs, rngs=nnx.Rngs(key))


def make(Layer, *sizes, **settings):
    """A layer or a model with weights of its own."""
    KEYS[0], key = jax.random.split(KEYS[0])
    return Layer(*sizes, **settings, key=key)


def named(state):
    """The arrays in a state, by their names."""
    return {".".join(map(str, path)): np.asarray(value) for path, value in nnx.to_flat_state(state)}


def parameters(model):
    return named(nnx.state(model, nnx.Param))


def devices(model):
    """The devices that the parameters are on."""
    return {device for leaf in jax.tree.leaves(nnx.state(model, nnx.Param)) for device in leaf.devices()}


def fill(model, draw):
    """Give each parameter the values that `draw` returns for its shape."""
    state = nnx.state(model, nnx.Param)
    nnx.update(model, jax.tree.map(lambda values: array(draw(values.shape)), state))


def gradients(model, batch, clip_to=None):
    """The gradient of the loss of a minibatch, by parameters; clipped by a trainer if there is a limit."""
    grads = nnx.jit(nnx.grad(lambda model, batch: model.loss(model(*batch[:-1]), batch[-1])))(model, batch)
    if clip_to is not None:
        grads = d2l.Trainer(max_epochs=1).clip_gradients(clip_to, grads)
    return named(grads)


def slope(function, values):
    """The gradient of a function that returns one number, at some values."""
    return np.asarray(jax.grad(function)(array(values)))


def rnn_gradients(layer, inputs, state):
    """The gradient of the mean square of a plain layer's outputs, by the names of its weights in the text."""
    grads = named(nnx.grad(lambda layer: (layer(inputs, state)[0] ** 2).mean())(layer))
    if "W_xh" in grads:
        return grads
    names = {"W_xh": "dense_i.kernel", "W_hh": "dense_h.kernel", "b_h": "dense_i.bias"}
    return {name: grads[f"rnn.cell.{own}"] for name, own in names.items()}


def run(layer, inputs, training):
    """The outputs of a layer that is in training, or not."""
    layer.train() if training else layer.eval()
    return np.asarray(layer(inputs)[0])


def load(layer, weights):
    """Give a layer from scratch the weights, by their names in the text."""
    assert parameters(layer).keys() == weights.keys()
    for name, values in weights.items():
        getattr(layer, name)[...] = array(values)


def load_concise(layer, *weights):
    """Give the framework's layer the weights of each of its layers or directions."""
    for cell, own in zip(cells(layer), weights, strict=True):
        if isinstance(cell, nnx.LSTMCell):
            for k, (x, h) in LSTM.items():
                getattr(cell, x).kernel[...] = array(own[f"W_x{k}"])
                getattr(cell, h).kernel[...] = array(own[f"W_h{k}"])
                getattr(cell, h).bias[...] = array(own[f"b_{k}"])
            continue
        W_x, W_h, b, c = reference.join(own, "rzh" if isinstance(cell, nnx.GRUCell) else "h")
        cell.dense_i.kernel[...], cell.dense_h.kernel[...] = array(W_x), array(W_h)
        cell.dense_i.bias[...] = array(b)
        if cell.dense_h.use_bias:
            cell.dense_h.bias[...] = array(c)


def load_linear(linear, W, b):
    """Give the framework's fully connected layer its weights."""
    linear.kernel[...], linear.bias[...] = array(W), array(b)


def cells(layer):
    if hasattr(layer, "cells"):
        return list(layer.cells)
    if isinstance(layer.rnn, nnx.Bidirectional):
        return [layer.rnn.forward_rnn.cell, layer.rnn.backward_rnn.cell]
    return [layer.rnn.cell]
