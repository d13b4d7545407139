"""MXNet, as the tests that hold for every framework speak to it."""

from contextlib import nullcontext

import numpy as np
import reference
from d2l import mxnet as d2l
from mxnet import autograd, gluon, npx
from mxnet import np as mxnp

npx.set_np()

#: The order in which the framework's layer keeps the blocks of its weights.
BLOCKS = {"RNN": "h", "GRU": "rzh", "LSTM": "ifco"}


def array(values):
    return mxnp.array(np.asarray(values), dtype="float32")


def tokens(rows):
    return mxnp.array(np.asarray(rows), dtype="int32")


def numpy(values):
    return (values.data() if isinstance(values, gluon.Parameter) else values).asnumpy()


def seed(number):
    npx.random.seed(number)


def linear(num_inputs, num_outputs):
    """The framework's fully connected layer."""
    return gluon.nn.Dense(num_outputs, in_units=num_inputs)


def make(Layer, *sizes, **settings):
    """A layer or a model with weights of its own."""
    return Layer(*sizes, **settings)


def parameters(model):
    return {name: numpy(parameter.data()) for name, parameter in model.collect_params().items()}


def devices(model):
    """The devices that the parameters are on."""
    return set(model.collect_params().list_ctx())


def fill(model, draw):
    """Give each parameter the values that `draw` returns for its shape."""
    for parameter in model.collect_params().values():
        parameter.set_data(array(draw(parameter.shape)))


def gradients(model, batch, clip_to=None):
    """The gradient of the loss of a minibatch, by parameters; clipped by a trainer if there is a limit."""
    with autograd.record(train_mode=False):
        loss = model.loss(model(*batch[:-1]), batch[-1])
    loss.backward()
    if clip_to is not None:
        d2l.Trainer(max_epochs=1).clip_gradients(clip_to, model)
    return {name: numpy(parameter.grad()) for name, parameter in model.collect_params().items()}


def slope(function, values):
    """The gradient of a function that returns one number, at some values."""
    X = array(values)
    X.attach_grad()
    with autograd.record():
        result = function(X)
    result.backward()
    return numpy(X.grad)


def rnn_gradients(layer, inputs, state):
    """The gradient of the mean square of a plain layer's outputs, by the names of its weights in the text."""
    with autograd.record():
        mean = (layer(inputs, state)[0] ** 2).mean()
    mean.backward()
    grads = {name.split("_", 1)[1]: numpy(p.grad()) for name, p in layer.collect_params().items()}
    if "W_xh" in grads:
        return grads
    names = {"W_xh": "l0_i2h_weight", "W_hh": "l0_h2h_weight", "b_h": "l0_i2h_bias"}
    return {name: grads[own].T for name, own in names.items()}


def run(layer, inputs, training):
    """The outputs of a layer that is in training, or not."""
    with autograd.record() if training else nullcontext():
        return numpy(layer(inputs)[0])


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


def load_linear(linear, W, b):
    """Give the framework's fully connected layer its weights."""
    linear.weight.set_data(array(W.T))
    linear.bias.set_data(array(b))
