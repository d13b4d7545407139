"""PyTorch, as the tests that hold for every framework speak to it."""

import numpy as np
import reference
import torch
from d2l import torch as d2l
from torch import nn

#: The order in which the framework's layer keeps the blocks of its weights.
BLOCKS = {"RNN": "h", "GRU": "rzh", "LSTM": "ifco"}


def array(values):
    return torch.tensor(np.asarray(values), dtype=torch.float32)


def tokens(rows):
    return torch.tensor(np.asarray(rows))


def numpy(tensor):
    return tensor.detach().numpy()


def seed(number):
    torch.manual_seed(number)


def linear(num_inputs, num_outputs):
    """The framework's fully connected layer."""
    return nn.Linear(num_inputs, num_outputs)


def make(Layer, *sizes, **settings):
    """A layer or a model with weights of its own."""
    return Layer(*sizes, **settings)


def parameters(model):
    return {name: numpy(parameter).copy() for name, parameter in model.named_parameters()}


def devices(model):
    """The devices that the parameters are on."""
    return {parameter.device for parameter in model.parameters()}


def fill(model, draw):
    """Give each parameter the values that `draw` returns for its shape."""
    for parameter in model.parameters():
        parameter.data = array(draw(tuple(parameter.shape)))


def gradients(model, batch, clip_to=None):
    """The gradient of the loss of a minibatch, by parameters; clipped by a trainer if there is a limit."""
    model.zero_grad()
    model.loss(model(*batch[:-1]), batch[-1]).backward()
    if clip_to is not None:
        d2l.Trainer(max_epochs=1).clip_gradients(clip_to, model)
    return {name: numpy(parameter.grad).copy() for name, parameter in model.named_parameters()}


def slope(function, values):
    """The gradient of a function that returns one number, at some values."""
    X = array(values).requires_grad_()
    function(X).backward()
    return numpy(X.grad)


def rnn_gradients(layer, inputs, state):
    """The gradient of the mean square of a plain layer's outputs, by the names of its weights in the text."""
    layer(inputs, state)[0].pow(2).mean().backward()
    grads = {name: numpy(parameter.grad) for name, parameter in layer.named_parameters()}
    if "W_xh" in grads:
        return grads
    names = {"W_xh": "rnn.weight_ih_l0", "W_hh": "rnn.weight_hh_l0", "b_h": "rnn.bias_ih_l0"}
    return {name: grads[own].T for name, own in names.items()}


def run(layer, inputs, training):
    """The outputs of a layer that is in training, or not."""
    layer.train(training)
    return numpy(layer(inputs)[0])


def load(layer, weights):
    """Give a layer from scratch the weights, by their names in the text."""
    assert parameters(layer).keys() == weights.keys()
    for name, values in weights.items():
        getattr(layer, name).data = array(values)


def load_concise(layer, *weights):
    """Give the framework's layer the weights of each of its layers or directions."""
    ends = [name.removeprefix("weight_ih") for name in parameters(layer.rnn) if name.startswith("weight_ih")]
    for end, own in zip(ends, weights, strict=True):
        W_x, W_h, b, c = reference.join(own, BLOCKS[type(layer.rnn).__name__])
        names = [f"{name}{end}" for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        for name, values in zip(names, (W_x.T, W_h.T, b, c), strict=True):
            getattr(layer.rnn, name).data = array(values)


def load_linear(linear, W, b):
    """Give the framework's fully connected layer its weights."""
    linear.weight.data, linear.bias.data = array(W.T), array(b)
