"""Recurrent layers: shapes, states, and the same numbers from both implementations."""

import pytest
import torch
from d2l import torch as d2l

NUM_STEPS, NUM_INPUTS, NUM_HIDDENS = 6, 5, 8
BATCH_SIZES = pytest.mark.parametrize("batch_size", [1, 2, 7])


def flat(state):
    """A state, which may be a list with one for each layer, as one tensor."""
    return torch.stack(list(state)) if isinstance(state, (list, tuple)) else state


def copy_of(rnn):
    """A layer from scratch with the weights of the framework's."""
    scratch = d2l.RNNScratch(rnn.num_inputs, rnn.num_hiddens)
    with torch.no_grad():
        scratch.W_xh.copy_(rnn.rnn.weight_ih_l0.T)
        scratch.W_hh.copy_(rnn.rnn.weight_hh_l0.T)
        scratch.b_h.copy_(rnn.rnn.bias_ih_l0 + rnn.rnn.bias_hh_l0)
    return scratch


@BATCH_SIZES
@pytest.mark.parametrize("with_state", [False, True])
def test_equal_weights_give_equal_outputs_states_and_gradients(batch_size, with_state):
    rnn = d2l.RNN(NUM_INPUTS, NUM_HIDDENS)
    scratch = copy_of(rnn)
    inputs = torch.randn(NUM_STEPS, batch_size, NUM_INPUTS)
    H = torch.randn(batch_size, NUM_HIDDENS) if with_state else None
    outputs, state = rnn(inputs, H[None] if with_state else None)
    own_outputs, own_state = scratch(inputs, H)
    torch.testing.assert_close(own_outputs, outputs, rtol=0, atol=1e-5)
    torch.testing.assert_close(own_state, state[0], rtol=0, atol=1e-5)
    outputs.pow(2).mean().backward()
    own_outputs.pow(2).mean().backward()
    torch.testing.assert_close(scratch.W_xh.grad, rnn.rnn.weight_ih_l0.grad.T, rtol=0, atol=1e-5)
    torch.testing.assert_close(scratch.W_hh.grad, rnn.rnn.weight_hh_l0.grad.T, rtol=0, atol=1e-5)
    torch.testing.assert_close(scratch.b_h.grad, rnn.rnn.bias_ih_l0.grad, rtol=0, atol=1e-5)


def test_equal_weights_give_equal_language_models():
    scratch = d2l.RNNLMScratch(d2l.RNNScratch(28, NUM_HIDDENS, sigma=0.5), vocab_size=28)
    concise = d2l.RNNLM(d2l.RNN(28, NUM_HIDDENS), vocab_size=28)
    with torch.no_grad():
        rnn, linear = concise.rnn.rnn, concise.linear
        rnn.weight_ih_l0.copy_(scratch.rnn.W_xh.T)
        rnn.weight_hh_l0.copy_(scratch.rnn.W_hh.T)
        rnn.bias_ih_l0.copy_(scratch.rnn.b_h)
        rnn.bias_hh_l0.zero_()
        linear.weight.copy_(scratch.W_hq.T)
        linear.bias.copy_(scratch.b_q)
    X, Y = torch.randint(28, (2, 3, NUM_STEPS))
    torch.testing.assert_close(scratch(X), concise(X), rtol=0, atol=1e-5)
    assert scratch.loss(scratch(X), Y).item() == pytest.approx(concise.loss(concise(X), Y).item(), abs=1e-5)


@BATCH_SIZES
def test_shapes(make_layer, batch_size):
    outputs, state = make_layer(NUM_INPUTS, NUM_HIDDENS)(torch.randn(NUM_STEPS, batch_size, NUM_INPUTS))
    assert outputs.shape == (NUM_STEPS, batch_size, NUM_HIDDENS)
    assert flat(state).shape[-2:] == (batch_size, NUM_HIDDENS)


@BATCH_SIZES
@pytest.mark.parametrize("cut", [1, 4])
def test_going_on_from_the_returned_state_is_one_long_pass(make_layer, batch_size, cut):
    layer = make_layer(NUM_INPUTS, NUM_HIDDENS)
    inputs = torch.randn(NUM_STEPS, batch_size, NUM_INPUTS)
    outputs, state = layer(inputs)
    first, halfway = layer(inputs[:cut])
    kept = flat(halfway).clone()
    second, end = layer(inputs[cut:], halfway)
    torch.testing.assert_close(torch.cat([first, second]), outputs)
    torch.testing.assert_close(flat(end), flat(state))
    torch.testing.assert_close(flat(halfway), kept)


def test_examples_of_a_minibatch_do_not_touch_each_other(make_layer):
    layer = make_layer(NUM_INPUTS, NUM_HIDDENS)
    inputs = torch.randn(NUM_STEPS, 7, NUM_INPUTS)
    torch.testing.assert_close(layer(inputs)[0][:, 3:4], layer(inputs[:, 3:4])[0])


def test_the_last_output_is_the_state_of_the_top(make_layer):
    outputs, state = make_layer(NUM_INPUTS, NUM_HIDDENS)(torch.randn(NUM_STEPS, 2, NUM_INPUTS))
    top = state if flat(state).dim() == 2 else state[-1]
    torch.testing.assert_close(outputs[-1], top)


def test_no_state_means_zeros(make_layer):
    layer = make_layer(NUM_INPUTS, NUM_HIDDENS)
    inputs = torch.randn(NUM_STEPS, 2, NUM_INPUTS)
    outputs, state = layer(inputs)
    zeros = [torch.zeros_like(H) for H in state] if isinstance(state, list) else torch.zeros_like(state)
    torch.testing.assert_close(layer(inputs, zeros)[0], outputs)


@BATCH_SIZES
@pytest.mark.parametrize("stacked", [False, True])
def test_scratch_takes_a_tensor_or_a_list_of_steps(StackedRNN, batch_size, stacked):
    sizes = (NUM_INPUTS, NUM_HIDDENS)
    layer = StackedRNN(*sizes, num_layers=2) if stacked else d2l.RNNScratch(*sizes)
    inputs = torch.randn(NUM_STEPS, batch_size, NUM_INPUTS)
    outputs, state = layer(inputs)
    for steps in (list(inputs), tuple(inputs)):
        own_outputs, own_state = layer(steps)
        assert torch.equal(own_outputs, outputs)
        assert torch.equal(flat(own_state), flat(state))


def test_scratch_keeps_the_type_of_its_inputs():
    outputs, state = d2l.RNNScratch(NUM_INPUTS, NUM_HIDDENS).double()(
        torch.randn(NUM_STEPS, 2, NUM_INPUTS, dtype=torch.float64)
    )
    assert outputs.dtype == state.dtype == torch.float64


def test_stacking_is_feeding_one_layer_with_the_other(StackedRNN):
    stack = StackedRNN(NUM_INPUTS, NUM_HIDDENS, num_layers=2, sigma=0.3)
    inputs = torch.randn(NUM_STEPS, 2, NUM_INPUTS)
    below, H_1 = stack.layers[0](inputs)
    above, H_2 = stack.layers[1](below)
    outputs, state = stack(inputs)
    assert torch.equal(outputs, above)
    assert torch.equal(torch.stack(state), torch.stack([H_1, H_2]))


@pytest.mark.parametrize("Layer", [d2l.GRU, d2l.LSTM])
def test_dropout_is_for_training_only(Layer):
    layer = Layer(NUM_INPUTS, NUM_HIDDENS, num_layers=2, dropout=0.5)
    inputs = torch.randn(NUM_STEPS, 2, NUM_INPUTS)
    assert not torch.equal(layer(inputs)[0], layer(inputs)[0])
    layer.eval()
    assert torch.equal(layer(inputs)[0], layer(inputs)[0])
