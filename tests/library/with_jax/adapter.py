"""JAX, as the tests that hold for every framework speak to it."""

import itertools

import jax
import numpy as np
import reference
from flax import nnx
from jax import numpy as jnp

SEEDS = itertools.count()

#: The layers in Flax's cell of an LSTM, for the input and for the state, by the letters of the text.
LSTM = {"i": ("ii", "hi"), "f": ("if_", "hf"), "c": ("ig", "hg"), "o": ("io", "ho")}


def array(values):
    return jnp.asarray(np.asarray(values), dtype=jnp.float32)


def numpy(values):
    return np.asarray(values)


def make(Layer, *sizes, **settings):
    """A layer or a model with weights of its own."""
    return Layer(*sizes, **settings, key=jax.random.key(next(SEEDS)))


def parameters(model):
    state = nnx.to_flat_state(nnx.state(model, nnx.Param))
    return {".".join(map(str, path)): np.asarray(value) for path, value in state}


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


def cells(layer):
    if hasattr(layer, "cells"):
        return list(layer.cells)
    if isinstance(layer.rnn, nnx.Bidirectional):
        return [layer.rnn.forward_rnn.cell, layer.rnn.backward_rnn.cell]
    return [layer.rnn.cell]
