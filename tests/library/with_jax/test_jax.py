"""The models of the chapters in JAX."""

import importlib.util
import re
from pathlib import Path

import jax
import numpy as np
import pytest
from d2l import jax as d2l
from flax import nnx
from jax import numpy as jnp

ROOT = Path(__file__).parents[3]

HEAD = "import jax\nfrom flax import nnx\nfrom d2l import jax as d2l\n\n\n"
KEY = jax.random.key(0)
NUM_HIDDENS, NUM_STEPS = 8, 5


@pytest.fixture(scope="session")
def StackedRNN(tmp_path_factory):
    """The class that the chapter on deep networks writes for itself, from its cell."""
    text = (ROOT / "chapters" / "en" / "deep-rnn.md").read_text(encoding="utf-8")
    [cell] = re.findall(r"^#@tab jax\n(class StackedRNN\b.*?)^```$", text, re.DOTALL | re.MULTILINE)
    path = tmp_path_factory.mktemp("chapter") / "stacked_jax.py"
    path.write_text(HEAD + cell, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("stacked_jax", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.StackedRNN


@pytest.fixture(params=["scratch", "concise", "gru", "gru-dropout", "stacked"])
def make_model(request, StackedRNN):
    """Makes a language model around one of the layers."""

    def make(vocab_size, key=KEY, lr=1):
        rnn_key, model_key = jax.random.split(key)
        sizes = (vocab_size, NUM_HIDDENS)
        layer, model = {
            "scratch": lambda: (d2l.RNNScratch(*sizes, sigma=0.3, key=rnn_key), d2l.RNNLMScratch),
            "concise": lambda: (d2l.RNN(*sizes, key=rnn_key), d2l.RNNLM),
            "gru": lambda: (d2l.GRU(*sizes, 2, key=rnn_key), d2l.RNNLM),
            "gru-dropout": lambda: (d2l.GRU(*sizes, 3, dropout=0.3, key=rnn_key), d2l.RNNLM),
            "stacked": lambda: (StackedRNN(*sizes, 2, sigma=0.3, key=rnn_key), d2l.RNNLMScratch),
        }[request.param]()
        return model(layer, vocab_size, lr=lr, key=model_key)

    return make


@pytest.fixture
def data(monkeypatch):
    """Minibatches of the short story, the last one smaller than the others."""
    story = (ROOT / "d2l" / "story.txt").read_text(encoding="utf-8")
    monkeypatch.delenv("D2L_SMOKE", raising=False)
    monkeypatch.setattr(d2l.TimeMachine, "_download", lambda self: story)
    return d2l.TimeMachine(batch_size=32, num_steps=NUM_STEPS, num_train=150, num_val=50)


def parameters(model):
    return {name: np.asarray(value) for name, value in nnx.to_flat_state(nnx.state(model, nnx.Param))}


def fit(model, data, max_epochs=1, **settings):
    model.board.display = False
    trainer = d2l.Trainer(max_epochs, **settings)
    trainer.fit(model, data)
    return trainer


def inputs_for(batch_size, num_inputs=6, num_steps=NUM_STEPS):
    return jax.random.normal(jax.random.key(7), (num_steps, batch_size, num_inputs))


def test_the_number_of_parameters_is_that_of_the_other_frameworks():
    def count(module):
        return sum(value.size for value in parameters(module).values())

    assert count(d2l.RNNLMScratch(d2l.RNNScratch(28, 32, key=KEY), 28, key=KEY)) == 2876
    assert count(d2l.RNNLM(d2l.GRU(28, 32, 2, key=KEY), 28, key=KEY)) == 13_212


@pytest.mark.parametrize("batch_size", [1, 2, 7])
def test_a_state_can_be_fed_back(make_model, batch_size):
    rnn = make_model(6).rnn
    rnn.eval()
    inputs = inputs_for(batch_size)
    outputs, state = rnn(inputs)
    first, halfway = rnn(inputs[:3])
    second, end = rnn(inputs[3:], halfway)
    np.testing.assert_allclose(jnp.concatenate([first, second]), outputs, atol=1e-5)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), end, state)


@pytest.mark.parametrize("batch_size", [1, 2])
def test_scratch_layers_read_lists(StackedRNN, batch_size):
    for rnn in (d2l.RNNScratch(6, NUM_HIDDENS, key=KEY), StackedRNN(6, NUM_HIDDENS, 2, key=KEY)):
        inputs = inputs_for(batch_size)
        np.testing.assert_array_equal(rnn(list(inputs))[0], rnn(inputs)[0])


def test_outputs_have_the_order_of_axes_of_the_targets(make_model):
    model = make_model(9)
    X = jax.random.randint(KEY, (3, 4), 0, 9)
    assert model.one_hot(X).shape == (4, 3, 9)
    assert model(X).shape == (3, 4, 9)


def test_every_parameter_changes_in_one_step(make_model, data):
    data.batch_size = data.num_train  # one step an epoch
    model = make_model(len(data.vocab))
    before = parameters(model)
    trainer = fit(model, data)
    after = parameters(model)
    assert trainer.train_batch_idx == 1
    assert before.keys() == after.keys()
    assert not [name for name in before if np.array_equal(before[name], after[name])]


def test_training_lowers_the_loss(make_model, data):
    model = make_model(len(data.vocab))
    fit(model, data, max_epochs=8, gradient_clip_val=1)
    for curve in model.board.curves.values():
        assert curve[-1][1] < curve[0][1] <= 40
    assert [x for x, _ in model.board.curves["val_ppl"]] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert len(model.board.curves["train_ppl"]) == 2 * 8 + 4  # 5 minibatches, 2 to a point


def test_the_same_keys_give_the_same_run(make_model, data):
    runs = [make_model(len(data.vocab)) for _ in range(2)]
    for model in runs:
        fit(model, data, max_epochs=2)
    assert runs[0].board.curves == runs[1].board.curves
    first, second = map(parameters, runs)
    assert all(np.array_equal(first[name], second[name]) for name in first)
    other = make_model(len(data.vocab), key=jax.random.key(1))
    fit(other, data, max_epochs=2)
    assert other.board.curves != runs[0].board.curves


def test_one_step_is_gradient_descent(data):
    data.batch_size = data.num_train
    make = lambda: d2l.RNNLM(d2l.RNN(len(data.vocab), 8, key=KEY), len(data.vocab), lr=0.5, key=KEY)  # noqa: E731
    model, plain = make(), make()
    batch = next(iter(data.train_dataloader()))
    grads = dict(nnx.to_flat_state(nnx.grad(lambda m: m.loss(m(batch[0]), batch[1]))(plain)))
    before = parameters(plain)
    fit(model, data)
    for name, value in parameters(model).items():
        np.testing.assert_allclose(value, before[name] - 0.5 * np.asarray(grads[name]), atol=1e-5)


def test_clipping_keeps_the_direction_and_bounds_the_norm():
    trainer = d2l.Trainer(1, gradient_clip_val=1)
    grads = {"a": jnp.array([3.0, 0.0]), "b": jnp.array([[4.0]])}
    clipped = trainer.clip_gradients(1, grads)
    np.testing.assert_allclose(clipped["a"], [0.6, 0], atol=1e-6)
    np.testing.assert_allclose(clipped["b"], [[0.8]], atol=1e-6)
    kept = trainer.clip_gradients(10, grads)
    assert all(np.array_equal(kept[name], grads[name]) for name in grads)
    zeros = trainer.clip_gradients(1, jax.tree.map(jnp.zeros_like, grads))
    assert all(np.array_equal(zero, np.zeros_like(zero)) for zero in zeros.values())


def test_the_trainer_clips(make_model, data):
    data.batch_size = data.num_train
    model = make_model(len(data.vocab), lr=1)
    before = parameters(model)
    fit(model, data, gradient_clip_val=1e-3)
    moved = [np.sum((value - before[name]) ** 2) for name, value in parameters(model).items()]
    assert np.sqrt(np.sum(moved)) == pytest.approx(1e-3, rel=0.01)


def test_a_smoke_run_ends_after_two_minibatches(data, monkeypatch):
    monkeypatch.setenv("D2L_SMOKE", "1")
    model = d2l.RNNLM(d2l.RNN(len(data.vocab), 8, key=KEY), len(data.vocab), key=KEY)
    trainer = fit(model, data, max_epochs=50)
    assert (trainer.train_batch_idx, trainer.val_batch_idx) == (2, 2)


def test_loaders_show_every_window_once(data):
    train = [np.asarray(Y) for _, Y in data.train_dataloader()]
    assert [len(Y) for Y in train] == [32, 32, 32, 32, 22]
    assert len(data.train_dataloader()) == 5
    rows = sorted(map(tuple, np.concatenate(train).tolist()))
    assert rows == sorted(map(tuple, data.Y[: data.num_train].tolist()))
    val = np.concatenate([np.asarray(X) for X, _ in data.val_dataloader()])
    start = data.num_train + data.num_steps
    np.testing.assert_array_equal(val, data.X[start : start + data.num_val])
    loader = data.train_dataloader()
    first, second = (np.concatenate([np.asarray(X) for X, _ in loader]) for _ in range(2))
    assert not np.array_equal(first, second)


def test_prediction_goes_on_from_the_prefix(make_model, data):
    model = make_model(len(data.vocab))
    text = model.predict("the", 6, data.vocab)
    tokens = data.vocab[list("the")]
    for _ in range(6):
        tokens.append(int(model(jnp.array([tokens]))[0, -1].argmax()))
    assert text == "".join(data.vocab.to_tokens(tokens))
    assert model.predict("It has?", 6, data.vocab).startswith("It has?")
    with pytest.raises(ValueError, match="at least one"):
        model.predict("", 3, data.vocab)


def test_hyperparameters_may_be_layers_and_lists():
    class Model(d2l.Module):
        def __init__(self, rnn, widths=(1, 2), lr=0.1):
            super().__init__()
            self.save_hyperparameters()

    rnn = d2l.RNN(3, 4, key=KEY)
    model = Model(rnn)
    assert model.hparams["rnn"] is rnn
    assert model.hparams["lr"] == model.lr == 0.1
    assert model.hparams["plot_train_per_epoch"] == 2
    assert len(parameters(model)) == 3


def test_devices():
    assert d2l.cpu().platform == "cpu"
    assert d2l.try_gpu(99) == d2l.cpu()


def test_mixed_precision_is_for_the_products_of_training(data):
    class Watched(d2l.RNN):
        def forward(self, inputs, H=None):
            seen.append(jax.config.jax_default_matmul_precision)
            return super().forward(inputs, H)

    def last(**how):
        model = d2l.RNNLM(Watched(len(data.vocab), 8, key=KEY), len(data.vocab), lr=1, key=KEY)
        fit(model, data, max_epochs=2, **how)
        return model.board.curves["val_ppl"][-1][1]

    seen = []
    exact = last()
    assert set(seen) == {None}
    seen.clear()
    assert last(mixed_precision=True) == pytest.approx(exact, rel=0.02)
    assert set(seen) == {"BF16_BF16_F32"}
    assert last(compile=True) == exact


def test_layers_like_dropout_know_whether_they_are_trained(data):
    class Watched(d2l.RNNLM):
        def forward(self, X, state=None):
            modes.append(self.rnn.drop.deterministic)
            return super().forward(X, state)

    modes = []
    rnn = d2l.GRU(len(data.vocab), NUM_HIDDENS, 2, dropout=0.5, key=KEY)
    data.batch_size = 50  # equal minibatches: one compilation each
    fit(Watched(rnn, len(data.vocab), key=KEY), data, max_epochs=2)
    assert modes == [False, True]


def test_the_same_model_is_compiled_once_for_all_predictions(data):
    class Watched(d2l.RNN):
        def forward(self, inputs, H=None):
            seen.append(inputs.shape)
            return super().forward(inputs, H)

    seen = []
    model = d2l.RNNLM(Watched(len(data.vocab), NUM_HIDDENS, key=KEY), len(data.vocab), key=KEY)
    first = model.predict("the", 4, data.vocab)
    traced = len(seen)
    assert model.predict("the", 4, data.vocab) == first
    assert len(seen) == traced


#: A training on the second of two devices, which JAX makes of one processor.
ELSEWHERE = """
import jax
from d2l import jax as d2l

here, there = jax.devices()
d2l.num_gpus, d2l.gpu = lambda: 1, lambda i=0: there
data = d2l.TimeMachine(batch_size=32, num_steps=5, num_train=64, num_val=32)
rnn = d2l.RNN(len(data.vocab), 8, key=jax.random.key(0))
model = d2l.RNNLM(rnn, len(data.vocab), lr=1, key=jax.random.key(1))
model.board.display = False
print(d2l.try_gpu() == there, d2l.try_gpu(1) == here, model.linear.kernel[...].devices() == {here})
d2l.Trainer(max_epochs=1, num_gpus=1).fit(model, data)
print(model.linear.kernel[...].devices() == {there})
print(len(model.predict("the", 3, data.vocab)))
"""


def test_the_trainer_uses_the_device_that_it_has(run_script):
    printed = run_script(ELSEWHERE, XLA_FLAGS="--xla_force_host_platform_device_count=2")
    assert printed.splitlines()[1:] == ["True True True", "True", "6"]  # the first is on the story
