"""Every recurrent layer, in whatever framework, computes what the equations of its chapter say."""

import itertools

import numpy as np
import pytest
import reference

NUM_STEPS, NUM_INPUTS, NUM_HIDDENS = 6, 5, 8
KINDS = {
    "rnn": ("RNNScratch", "RNN", reference.rnn),
    "gru": ("GRUScratch", "GRU", reference.gru),
    "lstm": ("LSTMScratch", "LSTM", reference.lstm),
}
EVERY_KIND = pytest.mark.parametrize("kind", KINDS)
#: Batch sizes, with a state that is given and without one. Not every pair: some frameworks compile each.
STARTS = pytest.mark.parametrize(("batch_size", "given"), [(1, True), (2, False), (2, True), (7, False)])

BATCH_SIZES = pytest.mark.parametrize("batch_size", [1, 2, 7])


def draw(*shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape)


def draw_state(kind, batch_size, seed=2):
    """A state as the reference takes it: a matrix or, of an LSTM, a pair of them."""
    H, C = draw(2, batch_size, NUM_HIDDENS, seed=seed)
    return (H, C) if kind == "lstm" else H


def convert(state, function):
    """The function's values for the matrices of a state, in a tuple or alone as they were."""
    return tuple(map(function, state)) if isinstance(state, tuple) else function(state)


def close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5)


def flat(adapter, state):
    """A state, which may be a matrix or several, as one array."""
    return (
        np.stack(list(map(adapter.numpy, state)))
        if isinstance(state, (list, tuple))
        else adapter.numpy(state)
    )


def zeros(state):
    return convert(state, np.zeros_like)


@pytest.fixture
def make_scratch(d2l, adapter):
    """Makes a layer from scratch of some kind, and returns it with its weights."""

    def make(kind):
        name, _, equations = KINDS[kind]
        weights = reference.draw_weights(equations, NUM_INPUTS, NUM_HIDDENS)
        layer = adapter.make(getattr(d2l, name), NUM_INPUTS, NUM_HIDDENS)
        adapter.load(layer, weights)
        return layer, weights

    return make


@EVERY_KIND
@STARTS
def test_scratch_is_the_equations(adapter, make_scratch, kind, batch_size, given):
    layer, weights = make_scratch(kind)
    inputs, state = draw(NUM_STEPS, batch_size, NUM_INPUTS), draw_state(kind, batch_size)
    expected, end = KINDS[kind][2](inputs, state if given else zeros(state), weights)
    outputs, last = layer(adapter.array(inputs), convert(state, adapter.array) if given else None)
    close(adapter.numpy(outputs), expected)
    close(convert(last, adapter.numpy), end)


@EVERY_KIND
@STARTS
def test_concise_is_the_equations(d2l, adapter, kind, batch_size, given):
    _, name, equations = KINDS[kind]
    weights = reference.draw_weights(equations, NUM_INPUTS, NUM_HIDDENS)
    layer = adapter.make(getattr(d2l, name), NUM_INPUTS, NUM_HIDDENS)
    adapter.load_concise(layer, weights)
    inputs, state = draw(NUM_STEPS, batch_size, NUM_INPUTS), draw_state(kind, batch_size)
    expected, end = equations(inputs, state if given else zeros(state), weights)
    start = convert(state, lambda a: adapter.array(a[None])) if given else None
    outputs, last = layer(adapter.array(inputs), start)
    close(adapter.numpy(outputs), expected)
    close(convert(last, lambda a: adapter.numpy(a)[0]), end)


@pytest.mark.parametrize(
    ("kind", "batch_size", "given"),
    [*itertools.product(["gru"], [1, 2, 7], [False, True]), ("lstm", 2, True)],
)
def test_a_stack_is_one_layer_on_the_other(d2l, adapter, kind, batch_size, given):
    _, name, equations = KINDS[kind]
    weights = [
        reference.draw_weights(equations, size, NUM_HIDDENS, seed=size) for size in (NUM_INPUTS, NUM_HIDDENS)
    ]
    layer = adapter.make(getattr(d2l, name), NUM_INPUTS, NUM_HIDDENS, num_layers=2)
    adapter.load_concise(layer, *weights)
    inputs = draw(NUM_STEPS, batch_size, NUM_INPUTS)
    states = [draw_state(kind, batch_size, seed) for seed in (2, 3)]
    expected, end = reference.stack(equations, inputs, states if given else list(map(zeros, states)), weights)
    both = tuple(map(np.stack, zip(*states, strict=True))) if kind == "lstm" else np.stack(states)
    outputs, last = layer(adapter.array(inputs), convert(both, adapter.array) if given else None)
    close(adapter.numpy(outputs), expected)
    last = convert(last, adapter.numpy)
    for i, state in enumerate(end):
        close(convert(last, lambda a, i=i: a[i]), state)


@pytest.mark.parametrize("batch_size", [1, 2, 7])
def test_a_stack_from_scratch_is_one_layer_on_the_other(adapter, stack_of, batch_size):
    sizes = (NUM_INPUTS, NUM_HIDDENS, NUM_HIDDENS)
    weights = [reference.draw_weights(reference.rnn, d, NUM_HIDDENS, seed) for seed, d in enumerate(sizes)]
    layer = adapter.make(stack_of, NUM_INPUTS, NUM_HIDDENS, num_layers=3)
    for part, own in zip(layer.layers, weights, strict=True):
        adapter.load(part, own)
    inputs = draw(NUM_STEPS, batch_size, NUM_INPUTS)
    states = [draw_state("rnn", batch_size, seed) for seed in (2, 3, 4)]
    expected, end = reference.stack(reference.rnn, inputs, states, weights)
    outputs, last = layer(adapter.array(inputs), [adapter.array(H) for H in states])
    close(adapter.numpy(outputs), expected)
    close([adapter.numpy(H) for H in last], end)


def test_a_language_model_is_the_equations(d2l, adapter):
    num_tokens, (X, Y) = 9, np.random.default_rng(0).integers(9, size=(2, 3, NUM_STEPS))
    rnn = adapter.make(d2l.RNNScratch, num_tokens, NUM_HIDDENS, sigma=0.5)
    model = adapter.make(d2l.RNNLMScratch, rnn, num_tokens)
    weights = {name: adapter.numpy(getattr(rnn, name)) for name in ("W_xh", "W_hh", "b_h")}
    one_hot = np.eye(num_tokens)[X.T]
    H, _ = reference.rnn(one_hot, np.zeros((3, NUM_HIDDENS)), weights)
    O = H @ adapter.numpy(model.W_hq) + adapter.numpy(model.b_q)  # noqa: E741 - the chapters' name
    log_p = O - np.log(np.exp(O).sum(axis=2, keepdims=True))
    Y_hat = model(d2l.tensor(X.tolist()))
    close(adapter.numpy(model.one_hot(d2l.tensor(X.tolist()))), one_hot)
    close(adapter.numpy(Y_hat), O.swapaxes(0, 1))
    cross_entropy = -np.mean(np.take_along_axis(log_p.swapaxes(0, 1), Y[..., None], axis=2))
    close(adapter.numpy(model.loss(Y_hat, d2l.tensor(Y.tolist()))), cross_entropy)


@BATCH_SIZES
@pytest.mark.parametrize("given", [False, True])
def test_equal_weights_give_equal_outputs_states_and_gradients(d2l, adapter, batch_size, given):
    weights = reference.draw_weights(reference.rnn, NUM_INPUTS, NUM_HIDDENS)
    scratch, concise = (adapter.make(Layer, NUM_INPUTS, NUM_HIDDENS) for Layer in (d2l.RNNScratch, d2l.RNN))
    adapter.load(scratch, weights)
    adapter.load_concise(concise, weights)
    inputs, H = adapter.array(draw(NUM_STEPS, batch_size, NUM_INPUTS)), draw_state("rnn", batch_size)
    states = (adapter.array(H), adapter.array(H[None])) if given else (None, None)
    (outputs, end), (concise_outputs, concise_end) = scratch(inputs, states[0]), concise(inputs, states[1])
    expected, last = reference.rnn(adapter.numpy(inputs), H if given else zeros(H), weights)
    for own in (adapter.numpy(outputs), adapter.numpy(concise_outputs)):
        close(own, expected)
    for own in (adapter.numpy(end), adapter.numpy(concise_end)[0]):
        close(own, last)
    grads = adapter.rnn_gradients(scratch, inputs, states[0])
    assert grads.keys() == weights.keys()
    for name, grad in adapter.rnn_gradients(concise, inputs, states[1]).items():
        close(grads[name], grad)


def test_equal_weights_give_equal_language_models(d2l, adapter):
    weights = reference.draw_weights(reference.rnn, 28, NUM_HIDDENS)
    scratch = adapter.make(d2l.RNNLMScratch, adapter.make(d2l.RNNScratch, 28, NUM_HIDDENS, sigma=0.5), 28)
    concise = adapter.make(d2l.RNNLM, adapter.make(d2l.RNN, 28, NUM_HIDDENS), 28)
    adapter.load(scratch.rnn, weights)
    adapter.load_concise(concise.rnn, weights)
    adapter.load_linear(concise.linear, adapter.numpy(scratch.W_hq), adapter.numpy(scratch.b_q))
    X, Y = map(adapter.tokens, np.random.default_rng(0).integers(28, size=(2, 3, NUM_STEPS)))
    close(adapter.numpy(scratch(X)), adapter.numpy(concise(X)))
    close(adapter.numpy(scratch.loss(scratch(X), Y)), adapter.numpy(concise.loss(concise(X), Y)))


@STARTS
def test_a_layer_for_tokens_is_the_equations_of_their_one_hot_vectors(d2l, adapter, batch_size, given):
    weights = reference.draw_weights(reference.rnn, NUM_INPUTS, NUM_HIDDENS)
    layer = adapter.make(d2l.TokenRNNScratch, NUM_INPUTS, NUM_HIDDENS)
    adapter.load(layer, weights)
    tokens = np.random.default_rng(0).integers(NUM_INPUTS, size=(NUM_STEPS, batch_size))
    H = draw_state("rnn", batch_size)
    expected, end = reference.rnn(np.eye(NUM_INPUTS)[tokens], H if given else zeros(H), weights)
    for inputs in (adapter.tokens(tokens), list(map(adapter.tokens, tokens))):
        outputs, last = layer(inputs, adapter.array(H) if given else None)
        close(adapter.numpy(outputs), expected)
        close(adapter.numpy(last), end)


def test_tokens_and_one_hot_vectors_give_equal_language_models(d2l, adapter):
    vocab = d2l.Vocab(list("the time traveller for so it will be convenient to speak of him"))
    rows = np.random.default_rng(0).integers(len(vocab), size=(2, 3, NUM_STEPS))
    batch = tuple(map(adapter.tokens, rows))
    outputs, grads, texts = [], [], []
    for Layer, Model in ((d2l.RNNScratch, d2l.RNNLMScratch), (d2l.TokenRNNScratch, d2l.TokenRNNLMScratch)):
        model = adapter.make(Model, adapter.make(Layer, len(vocab), NUM_HIDDENS), len(vocab))
        adapter.fill(model, lambda shape: draw(*shape, seed=sum(shape)))
        outputs.append(adapter.numpy(model(batch[0])))
        grads.append(adapter.gradients(model, batch, clip_to=1e9).values())
        texts.append(model.predict("time", 9, vocab))
    close(*outputs)
    for of_vectors, of_tokens in zip(*grads, strict=True):
        close(of_tokens, of_vectors)
    assert texts[0] == texts[1]


def test_the_number_of_parameters_is_that_of_the_other_frameworks(d2l, adapter):
    def count(model):
        return sum(values.size for values in adapter.parameters(model).values())

    assert count(adapter.make(d2l.RNNLMScratch, adapter.make(d2l.RNNScratch, 28, 32), 28)) == 2876
    assert count(adapter.make(d2l.RNNLM, adapter.make(d2l.GRU, 28, 32, 2), 28)) == 13_212


@BATCH_SIZES
def test_going_on_from_the_returned_state_is_one_long_pass(adapter, make_layer, batch_size):
    layer = make_layer(NUM_INPUTS, NUM_HIDDENS)
    adapter.fill(layer, lambda shape: 0.5 * draw(*shape))
    inputs = adapter.array(draw(NUM_STEPS, batch_size, NUM_INPUTS))
    outputs, state = layer(inputs)
    assert outputs.shape == (NUM_STEPS, batch_size, NUM_HIDDENS)
    assert flat(adapter, state).shape[-2:] == (batch_size, NUM_HIDDENS)
    for cut in (1, 4):
        first, halfway = layer(inputs[:cut])
        kept = flat(adapter, halfway).copy()
        second, end = layer(inputs[cut:], halfway)
        close(np.concatenate([adapter.numpy(first), adapter.numpy(second)]), adapter.numpy(outputs))
        close(flat(adapter, end), flat(adapter, state))
        np.testing.assert_array_equal(flat(adapter, halfway), kept)


def test_examples_of_a_minibatch_do_not_touch_each_other(adapter, make_layer):
    layer = make_layer(NUM_INPUTS, NUM_HIDDENS)
    inputs = adapter.array(draw(NUM_STEPS, 7, NUM_INPUTS))
    close(adapter.numpy(layer(inputs)[0])[:, 3:4], adapter.numpy(layer(inputs[:, 3:4])[0]))


def test_the_last_output_is_the_state_of_the_top(adapter, make_layer):
    outputs, state = make_layer(NUM_INPUTS, NUM_HIDDENS)(adapter.array(draw(NUM_STEPS, 2, NUM_INPUTS)))
    state = flat(adapter, state)
    top = state if state.ndim == 2 else state[-1]
    np.testing.assert_allclose(adapter.numpy(outputs)[-1], top, rtol=0, atol=1e-6)


def test_no_state_means_zeros(adapter, make_layer):
    layer = make_layer(NUM_INPUTS, NUM_HIDDENS)
    inputs = adapter.array(draw(NUM_STEPS, 2, NUM_INPUTS))
    outputs, state = layer(inputs)
    parts = isinstance(state, (list, tuple))
    given = [adapter.array(np.zeros(H.shape)) for H in (state if parts else [state])]
    close(adapter.numpy(layer(inputs, given if parts else given[0])[0]), adapter.numpy(outputs))


def test_new_weights_count_at_once(adapter, make_layer):
    layer, inputs = make_layer(NUM_INPUTS, NUM_HIDDENS), adapter.array(draw(NUM_STEPS, 2, NUM_INPUTS))
    before = adapter.numpy(layer(inputs)[0]).copy()
    adapter.fill(layer, lambda shape: 0.5 * draw(*shape))
    assert not np.allclose(adapter.numpy(layer(inputs)[0]), before, atol=1e-3)


@pytest.mark.parametrize("name", ["GRU", "LSTM"])
def test_dropout_is_for_training_only(d2l, adapter, name):
    layer = adapter.make(getattr(d2l, name), NUM_INPUTS, NUM_HIDDENS, num_layers=2, dropout=0.5)
    inputs = adapter.array(draw(NUM_STEPS, 2, NUM_INPUTS))
    assert not np.allclose(*(adapter.run(layer, inputs, training=True) for _ in range(2)))
    np.testing.assert_array_equal(*(adapter.run(layer, inputs, training=False) for _ in range(2)))


@pytest.fixture
def directions():
    """The weights of the two directions."""
    return [reference.draw_weights(reference.rnn, NUM_INPUTS, NUM_HIDDENS, seed) for seed in (4, 5)]


@STARTS
def test_both_directions_are_the_equations(d2l, adapter, directions, batch_size, given):
    scratch = adapter.make(d2l.BiRNNScratch, NUM_INPUTS, NUM_HIDDENS)
    adapter.load(scratch.f_rnn, directions[0])
    adapter.load(scratch.b_rnn, directions[1])
    concise = adapter.make(d2l.BiRNN, NUM_INPUTS, NUM_HIDDENS)
    adapter.load_concise(concise, *directions)
    inputs, states = draw(NUM_STEPS, batch_size, NUM_INPUTS), draw(2, batch_size, NUM_HIDDENS, seed=2)
    expected, end = reference.both_directions(inputs, states if given else zeros(states), directions)
    pair = tuple(map(adapter.array, states))
    for layer, start in ((scratch, pair), (concise, adapter.array(states))):
        outputs, last = layer(adapter.array(inputs), start if given else None)
        assert layer.num_hiddens == 2 * NUM_HIDDENS
        close(adapter.numpy(outputs), expected)
        close([adapter.numpy(H) for H in last], end)


@pytest.mark.parametrize(
    ("kind", "batch_size"),
    [("rnn", 2), ("rnn", 7), ("gru", 1), ("gru", 2), ("gru", 7), ("lstm", 2), ("lstm", 7)],
)
def test_a_state_can_be_fed_back(d2l, adapter, make_scratch, kind, batch_size):
    inputs = adapter.array(draw(NUM_STEPS, batch_size, NUM_INPUTS))
    for layer in (make_scratch(kind)[0], adapter.make(getattr(d2l, KINDS[kind][1]), NUM_INPUTS, NUM_HIDDENS)):
        outputs, state = layer(inputs)
        first, halfway = layer(inputs[:4])
        second, end = layer(inputs[4:], halfway)
        close(np.concatenate([adapter.numpy(first), adapter.numpy(second)]), adapter.numpy(outputs))
        close(convert(end, adapter.numpy), convert(state, adapter.numpy))


def test_each_direction_goes_on_where_it_stopped(d2l, adapter):
    layer = adapter.make(d2l.BiRNNScratch, NUM_INPUTS, NUM_HIDDENS)
    inputs = adapter.array(draw(NUM_STEPS, 2, NUM_INPUTS))
    whole, _ = layer(inputs)
    _, (f_H, _) = layer(inputs[:2])
    _, (_, b_H) = layer(inputs[4:])
    middle, _ = layer(inputs[2:4], (f_H, b_H))
    close(adapter.numpy(middle), adapter.numpy(whole)[2:4])
    pair = adapter.array([adapter.numpy(f_H), adapter.numpy(b_H)])
    close(adapter.numpy(layer(inputs[2:4], pair)[0]), adapter.numpy(middle))


@pytest.mark.parametrize("name", ["RNNScratch", "GRUScratch", "LSTMScratch", "BiRNNScratch", "StackedRNN"])
@BATCH_SIZES
def test_scratch_takes_an_array_or_a_list_of_steps(d2l, adapter, stack_of, name, batch_size):
    settings = {"num_layers": 2} if name == "StackedRNN" else {}
    Layer = stack_of if name == "StackedRNN" else getattr(d2l, name)
    layer = adapter.make(Layer, NUM_INPUTS, NUM_HIDDENS, **settings)
    inputs = adapter.array(draw(NUM_STEPS, batch_size, NUM_INPUTS))
    expected, end = layer(inputs)
    for kind in (list, tuple):
        outputs, state = layer(kind(inputs[t] for t in range(NUM_STEPS)))
        np.testing.assert_array_equal(adapter.numpy(outputs), adapter.numpy(expected))
        np.testing.assert_array_equal(flat(adapter, state), flat(adapter, end))


@pytest.mark.parametrize("name", ["LSTMScratch", "LSTM"])
def test_a_text_is_continued_from_the_state(d2l, adapter, name):
    vocab = d2l.Vocab(list("the time traveller"))
    layer = adapter.make(getattr(d2l, name), len(vocab), NUM_HIDDENS)
    model = adapter.make(d2l.RNNLM, layer, len(vocab))
    tokens = vocab[list("the")]
    for _ in range(3):  # reads everything again instead of keeping the state
        outputs = adapter.numpy(model(d2l.tensor([tokens])))
        tokens.append(int(outputs[0, -1].argmax()))
    assert model.predict("the", 3, vocab) == "".join(vocab.to_tokens(tokens))
