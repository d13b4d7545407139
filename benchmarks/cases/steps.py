"""What is the same in every framework: the arithmetic of cells, the way through a stack of layers."""

import numpy as np


def rnn(X, state, params, tanh, sigmoid):
    """Return the next state (H,), and H."""
    (H,), (W_x, W_h, b) = state, params
    H = tanh(X @ W_x + H @ W_h + b)
    return (H,), H


def gru(X, state, params, tanh, sigmoid):
    """Return the next state (H,), and H."""
    (H,), (W_xr, W_hr, b_r, W_xz, W_hz, b_z, W_xh, W_hh, b_h) = state, params
    R = sigmoid(X @ W_xr + H @ W_hr + b_r)
    Z = sigmoid(X @ W_xz + H @ W_hz + b_z)
    H_tilde = tanh(X @ W_xh + (R * H) @ W_hh + b_h)
    H = Z * H + (1 - Z) * H_tilde
    return (H,), H


def lstm(X, state, params, tanh, sigmoid):
    """Return the next state (H, C), and H."""
    (H, C), (W_xi, W_hi, b_i, W_xf, W_hf, b_f, W_xo, W_ho, b_o, W_xc, W_hc, b_c) = state, params
    I = sigmoid(X @ W_xi + H @ W_hi + b_i)
    F = sigmoid(X @ W_xf + H @ W_hf + b_f)
    O = sigmoid(X @ W_xo + H @ W_ho + b_o)
    C = F * C + I * tanh(X @ W_xc + H @ W_hc + b_c)
    H = O * tanh(C)
    return (H, C), H


STEPS = {"RNN": rnn, "GRU": gru, "LSTM": lstm}
#: How many triples of weights and bias a cell has, and arrays a state.
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
STATES = {"RNN": 1, "GRU": 1, "LSTM": 2}


def weights(cell, num_inputs, num_hiddens):
    """Return the initial parameters of a cell and of the output layer behind it, as NumPy arrays."""
    generator = np.random.default_rng(0)

    def normal(*shape):
        return generator.normal(0, 0.01, shape).astype("float32")

    gates = [
        array
        for _ in range(GATES[cell])
        for array in (normal(num_inputs, num_hiddens), normal(num_hiddens, num_hiddens), zeros(num_hiddens))
    ]
    return [*gates, normal(num_hiddens, num_inputs), zeros(num_inputs)]


def zeros(*shape):
    return np.zeros(shape, "float32")


def through(layers, inputs, states, stack):
    """Return the outputs of the topmost of some layers, and the states of all.

    `states`: one for each layer, or None; `stack`: makes an array of a list of arrays, as upstream's layers
    from scratch return but do not take.
    """
    outputs, states = inputs, states or [None] * len(layers)
    for i, layer in enumerate(layers):
        if isinstance(outputs, list):
            outputs = stack(outputs)
        outputs, states[i] = layer(outputs, states[i])
    return outputs, states


def stacked(d2l, gather, stack, **how):
    """Return the class of a stack of the library's layers from scratch.

    `gather`: makes of a list of layers what the framework finds parameters in; `how`: what else a layer is
    made with.
    """

    class Stacked(d2l.Module):
        def __init__(self, num_inputs, num_hiddens, num_layers, sigma=0.01):
            super().__init__()
            self.save_hyperparameters()
            sizes = [num_inputs, *[num_hiddens] * (num_layers - 1)]
            self.rnns = gather([d2l.RNNScratch(size, num_hiddens, sigma, **how) for size in sizes])

        def forward(self, inputs, Hs=None):
            return through(self.rnns, inputs, Hs, stack)

    return Stacked
