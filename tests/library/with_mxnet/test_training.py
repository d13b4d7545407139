"""What the trainer does in MXNet's own way: modes, gradients in place, errors."""

import math

import pytest
from d2l import mxnet as d2l
from mxnet import autograd, gluon, np


def test_layers_like_dropout_know_whether_they_are_trained(Line, Plane):
    class Watched(Line):
        def forward(self, X):
            modes.append((autograd.is_training(), autograd.is_recording()))
            return super().forward(X)

    modes = []
    d2l.Trainer(max_epochs=2).fit(Watched(), Plane())
    assert modes == ([(True, True)] * 3 + [(False, False)] * 2) * 2


def test_a_parameter_without_gradient_does_not_matter_to_clipping(make_model):
    model = make_model(28)
    X, Y = np.random.randint(28, size=(2, 4, 5), dtype="int32")
    with autograd.record():
        loss = model.loss(model(X), Y)
    loss.backward()
    model.fixed = model.params.get("fixed", shape=3, init="ones", grad_req="null")
    model.fixed.initialize()
    d2l.Trainer(max_epochs=1).clip_gradients(1e-3, model)
    rest = [p.grad() for p in model.collect_params().values() if p.grad_req != "null"]
    assert math.sqrt(sum((grad**2).sum().item() for grad in rest)) == pytest.approx(1e-3, rel=1e-4)


def test_a_gpu_is_used_if_asked_for_and_present(monkeypatch):
    monkeypatch.setattr(d2l, "num_gpus", lambda: 2)
    assert d2l.Trainer(max_epochs=1).gpus == []
    assert d2l.Trainer(max_epochs=1, num_gpus=1).gpus == [d2l.gpu(0)]
    with pytest.raises(ValueError, match="must be 0 or 1"):
        d2l.Trainer(max_epochs=1, num_gpus=2)
    assert [d2l.try_gpu(), d2l.try_gpu(1), d2l.try_gpu(2)] == [d2l.gpu(0), d2l.gpu(1), d2l.cpu()]


def test_a_layer_that_takes_no_part_is_an_error_and_no_silence(Line, Plane):
    model = Line()
    model.unused = [gluon.nn.Dense(1, in_units=2)]
    model.unused[0].initialize()
    with pytest.raises(UserWarning, match="has not been updated"):
        d2l.Trainer(max_epochs=1).fit(model, Plane())
