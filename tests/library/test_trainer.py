"""The trainer, and the models in its hands, in every framework."""

import math

import numpy as np
import pytest

ALL_LAYERS = [
    *("scratch", "concise", "gru", "gru-dropout", "stacked", "lstm", "both ways"),
    *("gru scratch", "lstm scratch", "both ways scratch"),
]


def norm(arrays):
    return math.sqrt(sum(float(np.sum(np.square(array))) for array in arrays))


def difference(before, after):
    return [after[name] - before[name] for name in before]


@pytest.fixture
def fit(d2l):
    """Trains a model on data and returns the trainer."""

    def fit(model, data, max_epochs=1, **settings):
        trainer = d2l.Trainer(max_epochs, **settings)
        trainer.fit(model, data)
        return trainer

    return fit


@pytest.mark.parametrize("make_layer", ALL_LAYERS, indirect=True)
def test_every_parameter_changes_in_one_training_step(adapter, make_model, lines, fit):
    data = lines(batch_size=64, num_steps=6, num_train=64, num_val=8)
    model = make_model(len(data.vocab))
    if not adapter.parameters(model):  # a framework that learns the shapes from the first inputs
        model(data.X[:2])
    before = adapter.parameters(model)
    trainer = fit(model, data, gradient_clip_val=1)
    after = adapter.parameters(model)
    assert trainer.train_batch_idx == 1
    assert before
    assert before.keys() == after.keys()
    assert [name for name in before if np.array_equal(before[name], after[name])] == []
    assert all(np.isfinite(values).all() for values in after.values())


def test_training_lowers_the_perplexity_and_changes_what_is_written(make_model, lines, fit):
    data = lines(num_steps=5, num_val=100)
    model = make_model(len(data.vocab), lr=0.5)
    text = model.predict("the", 20, data.vocab)
    fit(model, data, max_epochs=40, gradient_clip_val=1)
    for name in ("train_ppl", "val_ppl"):
        (_, first), *_, (_, last) = model.board.curves[name]
        assert last < 0.75 * first <= 0.75 * 40, name
    assert model.predict("the", 20, data.vocab) != text


def test_the_same_seed_gives_the_same_training(adapter, make_model, lines, fit):
    data = lines(num_train=384, num_val=128)

    def train(seed):
        adapter.seed(seed)
        model = make_model(len(data.vocab))
        fit(model, data, max_epochs=3, gradient_clip_val=1)
        return model.board.curves, list(adapter.parameters(model).values())

    (first, parameters), (again, same_parameters) = train(seed=1), train(seed=1)
    assert first == again
    assert all(map(np.array_equal, parameters, same_parameters))
    assert first != train(seed=2)[0]


def test_a_linear_regression_finds_the_plane(adapter, Line, Plane, fit):
    model = Line()
    fit(model, Plane(num_train=100), max_epochs=60)
    found = adapter.numpy(model(adapter.array([[0, 0], [1, 0], [0, 1]])))
    np.testing.assert_allclose(found, [[4.2], [4.2 + 2.0], [4.2 - 3.4]], rtol=0, atol=1e-3)


def assert_a_step_is_the_gradient_times_one_half(adapter, fit, model, data):
    before = adapter.parameters(model)
    grads = adapter.gradients(model, next(iter(data.train_dataloader())))
    fit(model, data)
    after = adapter.parameters(model)
    for name, old in before.items():
        np.testing.assert_allclose(after[name], old - 0.5 * grads[name], rtol=1e-5, atol=1e-6)


def test_a_step_is_the_gradient_times_the_learning_rate(adapter, Line, Plane, fit):
    assert_a_step_is_the_gradient_times_one_half(adapter, fit, Line(lr=0.5), Plane(batch_size=12))


def test_so_is_a_step_of_a_language_model(d2l, adapter, lines, fit):
    data = lines(batch_size=64, num_steps=5, num_train=64, num_val=8)
    rnn = adapter.make(d2l.RNN, len(data.vocab), 8)
    model = adapter.make(d2l.RNNLM, rnn, len(data.vocab), lr=0.5)
    model.board.display = False
    assert_a_step_is_the_gradient_times_one_half(adapter, fit, model, data)


@pytest.fixture
def batch(adapter):
    """A minibatch of inputs and targets among 28 tokens."""
    return [adapter.tokens(rows) for rows in np.random.default_rng(0).integers(28, size=(2, 4, 5))]


def test_a_long_gradient_gets_the_norm_of_the_threshold_and_keeps_its_direction(adapter, make_model, batch):
    model = make_model(28)
    before = adapter.gradients(model, batch)
    threshold = norm(before.values()) / 10
    after = adapter.gradients(model, batch, clip_to=threshold)
    assert norm(after.values()) == pytest.approx(threshold, rel=1e-5)
    for name, grad in before.items():
        np.testing.assert_allclose(after[name], grad / 10, rtol=1e-5, atol=1e-6)


def test_a_short_gradient_is_untouched(adapter, make_model, batch):
    model = make_model(28)
    before = adapter.gradients(model, batch)
    after = adapter.gradients(model, batch, clip_to=2 * norm(before.values()))
    for name, grad in before.items():
        np.testing.assert_array_equal(after[name], grad)


def test_a_gradient_of_zeros_stays(adapter, Line, Plane):
    model, data = Line(), Plane()
    fitting = adapter.array(adapter.numpy(model(data.X)))
    assert norm(adapter.gradients(model, (data.X, fitting), clip_to=1).values()) == 0


@pytest.mark.parametrize("threshold", [0.01, 0, 1e6])
def test_the_trainer_clips_when_it_is_told_to(adapter, Line, Plane, fit, threshold):
    model = Line(lr=1)  # a whole number is a learning rate, too
    before = adapter.parameters(model)
    fit(model, Plane(batch_size=12), gradient_clip_val=threshold)
    moved = norm(difference(before, adapter.parameters(model)))
    if threshold == 0.01:
        assert moved == pytest.approx(0.01, rel=1e-3)
    else:
        assert moved > 0.1


def test_the_trainer_clips_the_gradient_of_a_language_model(adapter, make_model, lines, fit):
    data = lines(batch_size=64, num_steps=5, num_train=64, num_val=8)
    model = make_model(len(data.vocab), lr=1)
    before = adapter.parameters(model)
    fit(model, data, gradient_clip_val=1e-3)
    moved = norm(difference(before, adapter.parameters(model)))
    assert moved == pytest.approx(1e-3, rel=0.01)


@pytest.mark.usefixtures("without_gpus")
def test_without_a_gpu_the_cpu_trains(d2l, adapter, Line, Plane, fit):
    model = Line()
    before = adapter.parameters(model)
    trainer = fit(model, Plane(), num_gpus=1)
    assert trainer.gpus == []
    assert trainer.device == d2l.cpu() == d2l.try_gpu()
    assert adapter.devices(model) == {d2l.cpu()}
    assert all(move.all() for move in difference(before, adapter.parameters(model)))


def test_a_gpu_trains_and_writes(d2l, adapter, make_model, lines, fit):
    if not d2l.num_gpus():
        pytest.skip("this machine has no GPU")
    data = lines(num_train=384, num_val=128)
    model = make_model(len(data.vocab))
    fit(model, data, num_gpus=1, gradient_clip_val=1)
    assert adapter.devices(model) == {d2l.gpu()}
    assert model.predict("it", 5, data.vocab) == model.predict("it", 5, data.vocab, d2l.try_gpu())


def test_a_minibatch_may_have_several_inputs(Line, Plane, fit):
    class Sum(Line):
        def forward(self, X, Z):
            return super().forward(X) + Z

    class Three(Plane):
        def get_dataloader(self, train):
            return self.get_tensorloader([self.X, self.X[:, :1], self.Y], train)

    model = Sum()
    fit(model, Three(), max_epochs=2)
    assert len(model.board.curves["val_loss"]) == 2


def test_minibatches_cover_the_data_and_the_last_may_be_smaller(adapter, Plane):
    data = Plane(num_train=10, num_val=0, batch_size=4)
    loader = data.train_dataloader()
    epochs = [[[adapter.numpy(part) for part in batch] for batch in loader] for _ in range(2)]
    assert len(loader) == 3
    seen = [np.concatenate([np.concatenate([X, Y], axis=1) for X, Y in batches]) for batches in epochs]
    expected = np.concatenate([adapter.numpy(data.X), adapter.numpy(data.Y)], axis=1)
    for batches, rows in zip(epochs, seen, strict=True):
        assert [len(X) for X, _ in batches] == [4, 4, 2]
        assert sorted(rows.tolist()) == sorted(expected.tolist())
    assert not np.array_equal(*seen)


def test_the_seed_decides_the_order_of_minibatches_which_is_a_new_one_in_each_epoch(adapter, lines):
    data = lines(num_train=200, num_val=50)

    def rows(loader):
        return np.concatenate([adapter.numpy(X) for X, _ in loader]).tolist()

    def orders():
        adapter.seed(5)
        loader = data.train_dataloader()
        return [rows(loader) for _ in range(2)]

    first, second = orders()
    X, start = adapter.numpy(data.X), 200 + data.num_steps
    assert first != second
    assert sorted(first) == sorted(second) == sorted(X[:200].tolist())
    assert orders() == [first, second]
    assert rows(data.val_dataloader()) == X[start : start + 50].tolist()
