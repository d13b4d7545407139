"""What recurrent layers do in MXNet only: one fused program, types, parameters in lists."""

import numpy as onp
import pytest
import reference
from d2l import mxnet as d2l
from mxnet import autograd, gluon, np

NUM_STEPS, NUM_INPUTS, NUM_HIDDENS = 6, 5, 8


def blocks(fused):
    """The weights of a fused layer of gated units, by their names in the text."""
    weights = {}
    for letter, name in (("x", "i2h"), ("h", "h2h")):
        matrix = getattr(fused, f"l0_{name}_weight").data().asnumpy().astype("float64")
        bias = getattr(fused, f"l0_{name}_bias").data().asnumpy().astype("float64")
        for gate, W, b in zip("rzh", onp.split(matrix, 3), onp.split(bias, 3), strict=True):
            weights[f"W_{letter}{gate}"] = W.T
            weights[f"b_{gate}" if letter == "x" else f"c_{gate}"] = b
    return weights | {f"b_{gate}": weights[f"b_{gate}"] + weights[f"c_{gate}"] for gate in "rz"}


def test_the_gradient_of_the_gru_is_the_slope_of_its_outputs(adapter):
    gru = d2l.GRU(NUM_INPUTS, NUM_HIDDENS, num_layers=1)
    draw = onp.random.default_rng(0).normal
    adapter.fill(gru, lambda shape: draw(scale=0.5, size=shape))
    inputs = draw(size=(NUM_STEPS, 2, NUM_INPUTS))
    with autograd.record():
        mean = (gru(adapter.array(inputs))[0] ** 2).mean()
    mean.backward()
    [fused] = gru.layers
    for name in ("i2h_weight", "h2h_weight", "i2h_bias", "h2h_bias"):
        parameter = getattr(fused, f"l0_{name}")
        original = parameter.data().asnumpy()
        place = tuple(size // 2 for size in original.shape)
        means = []
        for step in (-0.01, 0.01):
            moved = original.copy()
            moved[place] += step
            parameter.set_data(adapter.array(moved))
            outputs, _ = reference.gru(inputs, onp.zeros((2, NUM_HIDDENS)), blocks(fused))
            means.append((outputs**2).mean())
        parameter.set_data(adapter.array(original))
        slope = (means[1] - means[0]) / 0.02
        assert parameter.grad()[place].item() == pytest.approx(slope, rel=0.01, abs=1e-5)


def test_scratch_keeps_the_type_of_its_inputs():
    layer = d2l.RNNScratch(NUM_INPUTS, NUM_HIDDENS)
    layer.cast("float64")
    outputs, state = layer(np.random.normal(size=(NUM_STEPS, 2, NUM_INPUTS)).astype("float64"))
    assert outputs.dtype == state.dtype == onp.float64


class Stack(d2l.Module):
    def __init__(self, *layers):
        super().__init__()
        self.layers = [*layers]


def names(model):
    return [name.split("_", 1)[1] for name in model.collect_params()]


def test_parameters_are_found_in_lists_and_initialized():
    stack = Stack(d2l.RNNScratch(2, 3), gluon.nn.Dense(4, in_units=3))
    assert names(stack) == ["W_xh", "W_hh", "b_h", "weight", "bias"]
    assert all(p.data() is not None for p in stack.collect_params().values())


def test_parameters_are_found_in_a_list_that_grows():
    stack = Stack()
    stack.layers.append(d2l.RNNScratch(2, 3))
    assert names(stack) == ["W_xh", "W_hh", "b_h"]


def test_parameters_are_not_found_in_a_dictionary_and_gluon_says_so():
    stack = Stack()
    stack.layers = {"below": d2l.RNNScratch(2, 3)}
    with pytest.warns(UserWarning, match="unregistered container"):
        stack.collect_params()


def test_parameters_are_counted_once():
    layer = d2l.RNNScratch(2, 3)
    stack = Stack(layer, layer)
    stack.again = layer
    assert len(names(stack)) == 3


def test_parameters_may_be_chosen_by_name():
    assert names(Stack(d2l.RNNScratch(2, 3))) != []
    chosen = Stack(d2l.RNNScratch(2, 3)).collect_params(".*W_")
    assert [name.split("_", 1)[1] for name in chosen] == ["W_xh", "W_hh"]


def test_parameters_keep_the_values_that_the_constructor_gave_them():
    class Ones(d2l.Module):
        def __init__(self):
            super().__init__()
            self.net = gluon.nn.Dense(2, in_units=3)
            self.net.initialize("ones")

    assert Ones().net.weight.data().tolist() == [[1, 1, 1], [1, 1, 1]]


def test_parameters_of_a_layer_of_unknown_size_wait_for_its_inputs():
    class Open(d2l.Module):
        def __init__(self):
            super().__init__()
            self.net = gluon.nn.Dense(2)

    model = Open()
    assert model(np.ones((5, 3))).shape == (5, 2)
    assert model.net.weight.shape == (2, 3)
