"""What the trainer does in PyTorch's own way: modes, gradients in place, switches."""

import math
import shutil
import sys

import pytest
import torch
from d2l import torch as d2l
from torch import nn


def test_layers_like_dropout_know_whether_they_are_trained(Line, Plane):
    class Watched(Line):
        def forward(self, X):
            modes.append((self.training, torch.is_grad_enabled()))
            return super().forward(X)

    modes = []
    d2l.Trainer(max_epochs=2).fit(Watched(), Plane())
    assert modes == ([(True, True)] * 3 + [(False, False)] * 2) * 2


def test_a_parameter_without_gradient_does_not_matter_to_clipping(make_model):
    model = make_model(28)
    X, Y = torch.randint(28, (2, 4, 5))
    model.loss(model(X), Y).backward()
    model.unused = nn.Parameter(torch.ones(3))
    d2l.Trainer(max_epochs=1).clip_gradients(1e-3, model)
    assert model.unused.grad is None
    squares = sum(p.grad.pow(2).sum().item() for p in model.parameters() if p.grad is not None)
    assert math.sqrt(squares) == pytest.approx(1e-3, rel=1e-4)


def test_gpus_are_those_of_the_framework(monkeypatch):
    monkeypatch.setattr(torch.accelerator, "device_count", lambda: 2)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda: torch.device("mps"))
    assert d2l.Trainer(max_epochs=1, num_gpus=1).gpus == [torch.device("mps", 0)]
    assert [d2l.try_gpu(), d2l.try_gpu(1), d2l.try_gpu(2)] == [d2l.gpu(0), d2l.gpu(1), d2l.cpu()]
    assert d2l.try_all_gpus() == [d2l.gpu(0), d2l.gpu(1)]


def test_mixed_precision_gives_nearly_the_same(make_model, lines):
    data = lines(num_train=400, num_val=100)

    def last(**how):
        torch.manual_seed(0)
        model = make_model(len(data.vocab))
        d2l.Trainer(max_epochs=3, gradient_clip_val=1, **how).fit(model, data)
        return model.board.curves["val_ppl"][-1][1]

    exact, mixed = last(), last(mixed_precision=True)
    assert mixed != exact
    assert mixed == pytest.approx(exact, rel=0.02)


def test_mixed_precision_is_for_products_and_not_for_parameters(Line, Plane):
    class Watched(Line):
        def forward(self, X):
            seen.append(super().forward(X).dtype)
            return super().forward(X)

    seen, model = [], Watched()
    d2l.Trainer(max_epochs=1, mixed_precision=True).fit(model, Plane())
    assert set(seen) == {torch.bfloat16}
    assert {p.dtype for p in model.parameters()} == {p.grad.dtype for p in model.parameters()}
    assert {p.dtype for p in model.parameters()} == {torch.float32}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch, about itself
@pytest.mark.skipif(shutil.which("g++") is None, reason="compiling needs a C++ compiler")
@pytest.mark.skipif(" " in sys.prefix, reason="PyTorch compiles nothing below a folder with a space")
def test_a_compiled_model_gives_the_same(Line, Plane):
    def last(**how):
        torch.manual_seed(0)
        model = Line()
        d2l.Trainer(max_epochs=2, **how).fit(model, Plane(num_train=8, num_val=4))
        return model.board.curves["val_loss"][-1][1]

    compiled = last(compile=True)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] > 0
    assert compiled == pytest.approx(last(), rel=1e-4)
