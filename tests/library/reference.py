"""The recurrent layers in NumPy, written down from the equations of the chapters, in double precision.

A layer is a function of the inputs (num_steps, batch_size, num_inputs), a state and the weights, a dictionary
with the names that they have in the text. It returns the outputs of all steps and the last state.
"""

from types import SimpleNamespace

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def rnn(inputs, H, weights):
    w, outputs = SimpleNamespace(**weights), []
    for X in inputs:
        H = np.tanh(X @ w.W_xh + H @ w.W_hh + w.b_h)
        outputs.append(H)
    return np.stack(outputs), H


def gru(inputs, H, weights):
    w, outputs = SimpleNamespace(**weights), []
    for X in inputs:
        R = sigmoid(X @ w.W_xr + H @ w.W_hr + w.b_r)
        Z = sigmoid(X @ w.W_xz + H @ w.W_hz + w.b_z)
        H_tilde = np.tanh(X @ w.W_xh + w.b_h + R * (H @ w.W_hh + w.c_h))
        H = Z * H + (1 - Z) * H_tilde
        outputs.append(H)
    return np.stack(outputs), H


def lstm(inputs, state, weights):
    w, (H, C), outputs = SimpleNamespace(**weights), state, []
    for X in inputs:
        write = sigmoid(X @ w.W_xi + H @ w.W_hi + w.b_i)
        keep = sigmoid(X @ w.W_xf + H @ w.W_hf + w.b_f)
        show = sigmoid(X @ w.W_xo + H @ w.W_ho + w.b_o)
        C = keep * C + write * np.tanh(X @ w.W_xc + H @ w.W_hc + w.b_c)
        H = show * np.tanh(C)
        outputs.append(H)
    return np.stack(outputs), (H, C)


def both_directions(inputs, states, weights):
    """A bidirectional layer of `rnn`; states and weights are pairs, forwards and backwards."""
    f_outputs, f_H = rnn(inputs, states[0], weights[0])
    b_outputs, b_H = rnn(inputs[::-1], states[1], weights[1])
    return np.concatenate([f_outputs, b_outputs[::-1]], axis=2), (f_H, b_H)


def stack(layer, inputs, states, weights):
    """Several layers of one kind; states and weights are lists, from bottom to top."""
    last = []
    for state, own in zip(states, weights, strict=True):
        inputs, end = layer(inputs, state, own)
        last.append(end)
    return inputs, last


#: The letters by which the weights of a layer are told apart.
LETTERS = {rnn: "h", gru: "rzh", lstm: "ifoc"}


def draw_weights(layer, num_inputs, num_hiddens, seed=0):
    """Weights for `rnn`, `gru` or `lstm`, large enough that every term counts."""
    draw = np.random.default_rng(seed)
    weights = {}
    for k in LETTERS[layer]:
        weights[f"W_x{k}"] = draw.normal(0, 0.5, (num_inputs, num_hiddens))
        weights[f"W_h{k}"] = draw.normal(0, 0.5, (num_hiddens, num_hiddens))
        weights[f"b_{k}"] = draw.normal(0, 0.5, num_hiddens)
    if layer is gru:
        weights["c_h"] = draw.normal(0, 0.5, num_hiddens)
    return weights


def join(weights, letters):
    """The blocks of a layer's weights side by side: W_x, W_h, the bias b, and the second bias c.

    `letters` is their order. Only a GRU has a second bias, in its last block.
    """
    W_x, W_h, b = (np.concatenate([weights[name + k] for k in letters], -1) for name in ("W_x", "W_h", "b_"))
    c = np.zeros_like(b)
    if "c_h" in weights:
        c[-len(weights["c_h"]) :] = weights["c_h"]
    return W_x, W_h, b, c
