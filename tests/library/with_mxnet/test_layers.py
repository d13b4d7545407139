"""Recurrent layers: shapes, states, and the numbers that the equations give."""

import numpy as onp
import pytest
from d2l import mxnet as d2l
from mxnet import autograd, gluon, np

NUM_STEPS, NUM_INPUTS, NUM_HIDDENS = 6, 5, 8
BATCH_SIZES = pytest.mark.parametrize("batch_size", [1, 2, 7])


def inputs_for(batch_size):
    return np.random.normal(size=(NUM_STEPS, batch_size, NUM_INPUTS))


def flat(state):
    """A state, which may be a list with one for each layer, as one NumPy array."""
    return onp.stack([numbers(H) for H in state]) if isinstance(state, list) else numbers(state)


def numbers(array):
    """A parameter, or an array of either kind, as a NumPy array."""
    array = array.data() if hasattr(array, "data") and callable(array.data) else array
    return array.asnumpy() if hasattr(array, "asnumpy") else array


def assert_close(one, other, atol=1e-5):
    onp.testing.assert_allclose(numbers(one), numbers(other), rtol=0, atol=atol)


def fill(layer):
    """Give a layer weights and biases that all count."""
    for parameter in layer.collect_params().values():
        parameter.set_data(np.random.normal(scale=0.5, size=parameter.shape))


def copy_of(rnn):
    """A layer from scratch with the weights of the framework's."""
    scratch = d2l.RNNScratch(rnn.num_inputs, rnn.num_hiddens)
    scratch.W_xh.set_data(rnn.rnn.l0_i2h_weight.data().T)
    scratch.W_hh.set_data(rnn.rnn.l0_h2h_weight.data().T)
    scratch.b_h.set_data(rnn.rnn.l0_i2h_bias.data() + rnn.rnn.l0_h2h_bias.data())
    return scratch


def gradients(layer, inputs, state):
    with autograd.record():
        outputs, _ = layer(inputs, state)
        mean = (outputs**2).mean()
    mean.backward()
    return {name.split("_", 1)[1]: p.grad().asnumpy() for name, p in layer.collect_params().items()}


def numpy_rnn(W_xh, W_hh, b_h, inputs, H):
    states = []
    for X in inputs:
        H = onp.tanh(X @ W_xh + H @ W_hh + b_h)
        states.append(H)
    return onp.stack(states)


def numpy_gru(layer, inputs, H):
    """The states of a GRU layer, written down from the equations of the chapter."""

    def sigmoid(x):
        return 1 / (1 + onp.exp(-x))

    W_x, W_h, b_x, b_h = (
        numbers(getattr(layer, f"l0_{name}")) for name in ("i2h_weight", "h2h_weight", "i2h_bias", "h2h_bias")
    )
    states = []
    for X in inputs:
        x_r, x_z, x_h = onp.split(X @ W_x.T + b_x, 3, axis=1)
        h_r, h_z, h_h = onp.split(H @ W_h.T + b_h, 3, axis=1)
        R, Z = sigmoid(x_r + h_r), sigmoid(x_z + h_z)
        H = Z * H + (1 - Z) * onp.tanh(x_h + R * h_h)
        states.append(H)
    return onp.stack(states)


@BATCH_SIZES
@pytest.mark.parametrize("with_state", [False, True])
def test_both_layers_compute_the_equation_and_have_equal_gradients(batch_size, with_state):
    rnn = d2l.RNN(NUM_INPUTS, NUM_HIDDENS)
    fill(rnn)
    scratch = copy_of(rnn)
    inputs = inputs_for(batch_size)
    H = np.random.normal(size=(batch_size, NUM_HIDDENS)) if with_state else None
    outputs, state = rnn(inputs, H[None] if with_state else None)
    own_outputs, own_state = scratch(inputs, H)
    weights = map(numbers, (scratch.W_xh, scratch.W_hh, scratch.b_h))
    start = H.asnumpy() if with_state else onp.zeros((batch_size, NUM_HIDDENS))
    expected = numpy_rnn(*weights, inputs.asnumpy(), start)
    assert_close(outputs, expected)
    assert_close(own_outputs, expected)
    assert_close(state[0], expected[-1])
    assert_close(own_state, expected[-1])
    theirs, own = gradients(rnn, inputs, H[None] if with_state else None), gradients(scratch, inputs, H)
    assert_close(own["W_xh"], theirs["l0_i2h_weight"].T)
    assert_close(own["W_hh"], theirs["l0_h2h_weight"].T)
    assert_close(own["b_h"], theirs["l0_i2h_bias"])


@BATCH_SIZES
def test_the_gru_is_that_of_the_equations(batch_size):
    gru = d2l.GRU(NUM_INPUTS, NUM_HIDDENS, num_layers=2)
    fill(gru)
    inputs = inputs_for(batch_size)
    outputs, state = gru(inputs)
    expected, last = inputs.asnumpy(), []
    for layer in gru.layers:
        expected = numpy_gru(layer, expected, onp.zeros((batch_size, NUM_HIDDENS)))
        last.append(expected[-1])
    assert_close(outputs, expected)
    assert_close(state, onp.stack(last))


def test_the_gradient_of_the_gru_is_the_slope_of_its_outputs():
    gru = d2l.GRU(NUM_INPUTS, NUM_HIDDENS, num_layers=1)
    fill(gru)
    inputs = inputs_for(2)
    found = gradients(gru, inputs, None)
    [layer] = gru.layers
    start = onp.zeros((2, NUM_HIDDENS))
    for name in ("i2h_weight", "h2h_weight", "i2h_bias", "h2h_bias"):
        parameter = getattr(layer, f"l0_{name}")
        original = numbers(parameter).copy()
        place = tuple(size // 2 for size in original.shape)
        means = []
        for step in (-0.01, 0.01):
            moved = original.copy()
            moved[place] += step
            parameter.set_data(np.array(moved))
            means.append((numpy_gru(layer, inputs.asnumpy(), start) ** 2).mean())
        parameter.set_data(np.array(original))
        assert found[f"l0_{name}"][place] == pytest.approx((means[1] - means[0]) / 0.02, rel=0.01, abs=1e-5)


def test_new_weights_count_at_once(make_layer):
    layer, inputs = make_layer(NUM_INPUTS, NUM_HIDDENS), inputs_for(2)
    before = layer(inputs)[0].asnumpy()
    fill(layer)
    assert not onp.allclose(layer(inputs)[0].asnumpy(), before, atol=1e-3)


def test_equal_weights_give_equal_language_models():
    scratch = d2l.RNNLMScratch(d2l.RNNScratch(28, NUM_HIDDENS), vocab_size=28)
    concise = d2l.RNNLM(d2l.RNN(28, NUM_HIDDENS), vocab_size=28)
    fill(concise)
    for own, theirs in zip(
        scratch.rnn.collect_params().values(), copy_of(concise.rnn).collect_params().values(), strict=True
    ):
        own.set_data(theirs.data())
    scratch.W_hq.set_data(concise.linear.weight.data().T)
    scratch.b_q.set_data(concise.linear.bias.data())
    X, Y = np.random.randint(28, size=(2, 3, NUM_STEPS), dtype="int32")
    assert_close(scratch(X), concise(X))
    assert scratch.loss(scratch(X), Y).item() == pytest.approx(concise.loss(concise(X), Y).item(), abs=1e-5)


def test_the_number_of_parameters_is_that_of_the_other_frameworks():
    def count(model):
        return sum(p.data().size for p in model.collect_params().values())

    assert count(d2l.RNNLMScratch(d2l.RNNScratch(28, 32), 28)) == 2876
    assert count(d2l.RNNLM(d2l.GRU(28, 32, 2), 28)) == 13_212


@BATCH_SIZES
def test_shapes(make_layer, batch_size):
    outputs, state = make_layer(NUM_INPUTS, NUM_HIDDENS)(inputs_for(batch_size))
    assert outputs.shape == (NUM_STEPS, batch_size, NUM_HIDDENS)
    assert flat(state).shape[-2:] == (batch_size, NUM_HIDDENS)


@BATCH_SIZES
@pytest.mark.parametrize("cut", [1, 4])
def test_going_on_from_the_returned_state_is_one_long_pass(make_layer, batch_size, cut):
    layer = make_layer(NUM_INPUTS, NUM_HIDDENS)
    fill(layer)
    inputs = inputs_for(batch_size)
    outputs, state = layer(inputs)
    first, halfway = layer(inputs[:cut])
    kept = flat(halfway)
    second, end = layer(inputs[cut:], halfway)
    assert_close(np.concatenate([first, second]), outputs)
    assert_close(flat(end), flat(state))
    assert_close(flat(halfway), kept)


def test_examples_of_a_minibatch_do_not_touch_each_other(make_layer):
    layer = make_layer(NUM_INPUTS, NUM_HIDDENS)
    inputs = inputs_for(7)
    assert_close(layer(inputs)[0][:, 3:4], layer(inputs[:, 3:4])[0])


def test_the_last_output_is_the_state_of_the_top(make_layer):
    outputs, state = make_layer(NUM_INPUTS, NUM_HIDDENS)(inputs_for(2))
    top = state if flat(state).ndim == 2 else state[-1]
    assert_close(outputs[-1], top)


def test_no_state_means_zeros(make_layer):
    layer = make_layer(NUM_INPUTS, NUM_HIDDENS)
    inputs = inputs_for(2)
    outputs, state = layer(inputs)
    zeros = [np.zeros_like(H) for H in state] if isinstance(state, list) else np.zeros_like(state)
    assert_close(layer(inputs, zeros)[0], outputs)


@BATCH_SIZES
def test_scratch_takes_an_array_or_a_list_of_steps(batch_size):
    layer = d2l.RNNScratch(NUM_INPUTS, NUM_HIDDENS, sigma=0.3)
    inputs = inputs_for(batch_size)
    outputs, state = layer(inputs)
    for steps in (list(inputs), tuple(inputs)):
        own_outputs, own_state = layer(steps)
        assert (own_outputs == outputs).all()
        assert (own_state == state).all()


def test_scratch_keeps_the_type_of_its_inputs():
    layer = d2l.RNNScratch(NUM_INPUTS, NUM_HIDDENS)
    layer.cast("float64")
    outputs, state = layer(inputs_for(2).astype("float64"))
    assert outputs.dtype == state.dtype == onp.float64


def test_stacking_is_feeding_one_layer_with_the_other(StackedRNN):
    stack = StackedRNN(NUM_INPUTS, NUM_HIDDENS, num_layers=2, sigma=0.3)
    inputs = inputs_for(2)
    below, H_1 = stack.layers[0](inputs)
    above, H_2 = stack.layers[1](below)
    outputs, state = stack(inputs)
    assert (outputs == above).all()
    assert_close(flat(state), flat([H_1, H_2]), atol=0)


def test_dropout_is_for_training_only():
    gru = d2l.GRU(NUM_INPUTS, NUM_HIDDENS, num_layers=2, dropout=0.5)
    fill(gru)
    inputs = inputs_for(2)
    with autograd.record():
        first, second = gru(inputs)[0], gru(inputs)[0]
    assert not np.allclose(first, second)
    assert (gru(inputs)[0] == gru(inputs)[0]).all()


class TestParametersOfAModel:
    class Stack(d2l.Module):
        def __init__(self, *layers):
            super().__init__()
            self.layers = [*layers]

    def names(self, model):
        return [name.split("_", 1)[1] for name in model.collect_params()]

    def test_are_found_in_lists_and_initialized(self):
        stack = self.Stack(d2l.RNNScratch(2, 3), gluon.nn.Dense(4, in_units=3))
        assert self.names(stack) == ["W_xh", "W_hh", "b_h", "weight", "bias"]
        assert all(p.data() is not None for p in stack.collect_params().values())

    def test_are_found_in_a_list_that_grows(self):
        stack = self.Stack()
        stack.layers.append(d2l.RNNScratch(2, 3))
        assert self.names(stack) == ["W_xh", "W_hh", "b_h"]

    def test_are_not_found_in_a_dictionary_and_gluon_says_so(self):
        stack = self.Stack()
        stack.layers = {"below": d2l.RNNScratch(2, 3)}
        with pytest.warns(UserWarning, match="unregistered container"):
            stack.collect_params()

    def test_are_counted_once(self):
        layer = d2l.RNNScratch(2, 3)
        stack = self.Stack(layer, layer)
        stack.again = layer
        assert len(self.names(stack)) == 3

    def test_may_be_chosen_by_name(self):
        assert self.names(self.Stack(d2l.RNNScratch(2, 3))) != []
        chosen = self.Stack(d2l.RNNScratch(2, 3)).collect_params(".*W_")
        assert [name.split("_", 1)[1] for name in chosen] == ["W_xh", "W_hh"]

    def test_keep_the_values_that_the_constructor_gave_them(self):
        class Ones(d2l.Module):
            def __init__(self):
                super().__init__()
                self.net = gluon.nn.Dense(2, in_units=3)
                self.net.initialize("ones")

        assert Ones().net.weight.data().tolist() == [[1, 1, 1], [1, 1, 1]]

    def test_of_a_layer_of_unknown_size_wait_for_its_inputs(self):
        class Open(d2l.Module):
            def __init__(self):
                super().__init__()
                self.net = gluon.nn.Dense(2)

        model = Open()
        assert model(np.ones((5, 3))).shape == (5, 2)
        assert model.net.weight.shape == (2, 3)
