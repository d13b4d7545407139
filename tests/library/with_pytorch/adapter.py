"""PyTorch, as the tests that hold for every framework speak to it."""

import numpy as np
import reference
import torch

#: The order in which the framework's layer keeps the blocks of its weights.
BLOCKS = {"RNN": "h", "GRU": "rzh", "LSTM": "ifco"}


def array(values):
    return torch.tensor(np.asarray(values), dtype=torch.float32)


def numpy(tensor):
    return tensor.detach().numpy()


def make(Layer, *sizes, **settings):
    """A layer or a model with weights of its own."""
    return Layer(*sizes, **settings)


def parameters(model):
    return {name: numpy(parameter).copy() for name, parameter in model.named_parameters()}


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
