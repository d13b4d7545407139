"""What the trainer does in JAX's own way: compilation, precision, devices."""

import jax
import pytest
from d2l import jax as d2l

KEY = jax.random.key(0)


@pytest.fixture
def data(lines):
    """Equal minibatches: one compilation each."""
    return lines(batch_size=50, num_steps=5, num_train=150, num_val=50)


def fit(model, data, **settings):
    model.board.display = False
    d2l.Trainer(**settings).fit(model, data)


def test_the_cpu_is_that_of_the_framework():
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
    rnn = d2l.GRU(len(data.vocab), 8, 2, dropout=0.5, key=KEY)
    fit(Watched(rnn, len(data.vocab), key=KEY), data, max_epochs=2)
    assert modes == [False, True]


def test_the_same_model_is_compiled_once_for_all_predictions(data):
    class Watched(d2l.RNN):
        def forward(self, inputs, H=None):
            seen.append(inputs.shape)
            return super().forward(inputs, H)

    seen = []
    model = d2l.RNNLM(Watched(len(data.vocab), 8, key=KEY), len(data.vocab), key=KEY)
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
