"""What the function interface does in PyTorch's own way: gradients in place, states with a history."""

import math

import pytest
import torch
from d2l import torch as d2l
from torch import nn


class Plain:
    """A model that is no module."""

    def __init__(self, *gradients):
        self.params = [torch.zeros(len(gradient), requires_grad=True) for gradient in gradients]
        for param, gradient in zip(self.params, gradients, strict=True):
            param.grad = torch.tensor(gradient)


def test_clipping_is_that_of_the_trainer():
    gradients = [[3.0, 0.0], [0.0, 4.0, 0.0]]
    net, same = Plain(*gradients), Plain(*gradients)
    same.parameters = lambda: same.params
    d2l.grad_clipping(net, 1)
    d2l.Trainer(max_epochs=1).clip_gradients(1, same)
    torch.testing.assert_close([p.grad for p in net.params], [p.grad for p in same.params])
    assert math.sqrt(sum(p.grad.pow(2).sum().item() for p in net.params)) == pytest.approx(1)


def test_a_short_gradient_is_untouched():
    net = Plain([0.3, 0.4])
    d2l.grad_clipping(net, 1)
    assert torch.equal(net.params[0].grad, torch.tensor([0.3, 0.4]))


def test_modules_are_clipped_too():
    module = nn.Linear(2, 1)
    (100 * module(torch.ones(1, 2)).sum()).backward()
    d2l.grad_clipping(module, 0.5)
    assert math.sqrt(sum(p.grad.pow(2).sum().item() for p in module.parameters())) == pytest.approx(0.5)


def test_a_step_divides_by_the_batch_size_and_forgets_the_gradient():
    net = Plain([2.0, -4.0])
    d2l.sgd(net.params, lr=0.5, batch_size=2)
    assert net.params[0].tolist() == [-0.5, 1]
    assert net.params[0].grad.tolist() == [0, 0]


def test_a_detached_state_has_its_numbers_and_no_history():
    H = torch.ones(2, requires_grad=True) * 3
    for state in (H, (H,), (H, H * 2)):
        detached = d2l.detach_state(state)
        parts = detached if isinstance(state, tuple) else (detached,)
        assert isinstance(detached, type(state))
        assert not any(part.requires_grad for part in parts)
    assert detached[1].tolist() == [6, 6]


@pytest.mark.parametrize("lr", [1, 0.1])
def test_an_updater_may_be_a_function_of_the_batch_size(lr):
    def epoch(with_function):
        torch.manual_seed(0)
        net = d2l.RNNModel(nn.GRU(5, 4), 5)
        updater = torch.optim.SGD(net.parameters(), lr)
        if with_function:
            updater = lambda batch_size: d2l.sgd(net.parameters(), lr, batch_size)  # noqa: E731
        batches = [(torch.randint(5, (2, 3)), torch.randint(5, (2, 3))) for _ in range(3)]
        ppl, _ = d2l.train_epoch_ch8(net, batches, nn.CrossEntropyLoss(), updater, d2l.cpu(), False)
        return ppl, [p.detach() for p in net.parameters()]

    torch.testing.assert_close(epoch(True), epoch(False))


def test_dropout_works_in_training_only():
    net = d2l.RNNModel(nn.GRU(9, 8, num_layers=2, dropout=0.5), 9)
    vocab = d2l.Vocab(list("abcdefgh"))
    texts = {d2l.predict_ch8("ab", 20, net, vocab, d2l.cpu()) for _ in range(3)}
    assert len(texts) == 1
    batch = torch.randint(9, (2, 3)), torch.randint(9, (2, 3))
    updater = torch.optim.SGD(net.parameters(), 0.1)
    d2l.train_epoch_ch8(net, [batch], nn.CrossEntropyLoss(), updater, d2l.cpu(), False)
    assert net.training


def test_a_layer_that_wants_the_batch_first_is_refused():
    with pytest.raises(ValueError, match="without batch_first=True"):
        d2l.RNNModel(nn.LSTM(9, 8, batch_first=True), 9)
