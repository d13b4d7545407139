"""MXNet, as the tests that hold for every framework speak to it."""

import numpy as np
import reference
from mxnet import gluon, npx
from mxnet import np as mxnp

npx.set_np()

#: The order in which the framework's layer keeps the blocks of its weights.
BLOCKS = {"RNN": "h", "GRU": "rzh", "LSTM": "ifco"}


def array(values):
    return mxnp.array(np.asarray(values), dtype="float32")


def numpy(values):
    return (values.data() if isinstance(values, gluon.Parameter) else values).asnumpy()


def make(Layer, *sizes, **settings):
    """A layer or a model with weights of its own."""
    return Layer(*sizes, **settings)


def parameters(model):
    return {name: numpy(parameter.data()) for name, parameter in model.collect_params().items()}


def load(layer, weights):
    """Give a layer from scratch the weights, by their names in the text."""
    own = layer.collect_params()
    assert {name.removeprefix(own.prefix) for name in own} == weights.keys()
    for name, values in weights.items():
        getattr(layer, name).set_data(array(values))


def load_concise(layer, *weights):
    """Give the framework's layer the weights of each of its layers or directions."""
    fused = getattr(layer, "layers", None) or [layer.rnn]
    ends = [(rnn, end) for rnn in fused for end in ("l0", "r0") if hasattr(rnn, f"{end}_i2h_weight")]
    for (rnn, end), own in zip(ends, weights, strict=True):
        W_x, W_h, b, c = reference.join(own, BLOCKS[type(rnn).__name__])
        names = [f"{end}_{name}" for name in ("i2h_weight", "h2h_weight", "i2h_bias", "h2h_bias")]
        for name, values in zip(names, (W_x.T, W_h.T, b, c), strict=True):
            getattr(rnn, name).set_data(array(values))
