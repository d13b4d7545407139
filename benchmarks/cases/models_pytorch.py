"""Both libraries' models in PyTorch."""

import importlib
import sys
import types

import torch
from steps import STATES, STEPS, stacked, weights, zeros
from torch import nn

#: The cell of the concise model.
CONCISE = "RNN"


def load(upstream):
    """Return the library; upstream's imports torchvision, which is not there and never used."""
    if upstream:
        vision = types.ModuleType("torchvision")
        vision.transforms = types.ModuleType("torchvision.transforms")
        sys.modules |= {"torchvision": vision, "torchvision.transforms": vision.transforms}
    torch.set_num_threads(1)
    torch.manual_seed(0)
    return importlib.import_module("d2l.torch")


def wait():
    """Return when a GPU has done its work; on the processor all is done when a call returns."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def product(size):
    A, B = torch.randn(size, size), torch.randn(size, size)
    return lambda: A @ B


def language_model(d2l, kind, num_inputs, upstream):
    if kind == "scratch":
        return d2l.RNNLMScratch(d2l.RNNScratch(num_inputs, 32), num_inputs, lr=1)
    if kind == "scratch, tokens":
        rnn = d2l.TokenRNNScratch(num_inputs, 32)
        return d2l.TokenRNNLMScratch(rnn, num_inputs, lr=1)
    if kind == "concise":
        return d2l.RNNLM(d2l.RNN(num_inputs, 32), num_inputs, lr=1)
    if kind == "deep scratch":
        return d2l.RNNLMScratch(stacked(d2l, nn.ModuleList, torch.stack)(num_inputs, 32, 2), num_inputs, lr=2)
    return d2l.RNNLM(deep_gru(d2l)(num_inputs, 32, 2), num_inputs, lr=2)


def deep_gru(d2l):
    """Return the class of the framework's GRU of several layers."""

    class DeepGRU(d2l.RNN):
        def __init__(self, num_inputs, num_hiddens, num_layers):
            d2l.Module.__init__(self)
            self.save_hyperparameters()
            self.rnn = nn.GRU(num_inputs, num_hiddens, num_layers)

    return DeepGRU


def trainer_ch8(d2l, kind, num_inputs, num_hiddens, upstream):
    """Return a function that trains a model for an epoch on a list of minibatches."""
    cell, device = kind.split()[0], torch.device("cpu")
    if "scratch" in kind:
        net = d2l.RNNModelScratch(num_inputs, num_hiddens, device, *functions(cell, num_inputs, num_hiddens))
        params = net.params
    else:
        net = d2l.RNNModel(getattr(nn, cell)(num_inputs, num_hiddens), num_inputs)
        params = net.parameters()
    updater, loss = torch.optim.SGD(params, 1.0), nn.CrossEntropyLoss()
    return lambda batches: d2l.train_epoch_ch8(net, batches, loss, updater, device, False)


def functions(cell, num_inputs, num_hiddens):
    """Return the functions that `RNNModelScratch` is made of."""
    step = STEPS[cell]

    def get_params(vocab_size, num_hiddens, device):
        return [torch.tensor(a).requires_grad_() for a in weights(cell, vocab_size, num_hiddens)]

    def init_state(batch_size, num_hiddens, device):
        return tuple(torch.tensor(zeros(batch_size, num_hiddens)) for _ in range(STATES[cell]))

    def forward(inputs, state, params):
        *own, W_hq, b_q = params
        outputs = []
        for X in inputs:
            state, H = step(X, state, own, torch.tanh, torch.sigmoid)
            outputs.append(H)
        return torch.cat(outputs) @ W_hq + b_q, state

    return get_params, init_state, forward
