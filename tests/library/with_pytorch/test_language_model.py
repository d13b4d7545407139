"""Language models: outputs, loss, and the text they write."""

import math

import pytest
import torch
from d2l import torch as d2l

VOCAB = d2l.Vocab(list("the time traveller for so it will be convenient to speak of him"))


def test_outputs_have_the_order_of_axes_of_the_targets(make_model):
    model = make_model(len(VOCAB))
    X = torch.randint(len(VOCAB), (3, 5))
    assert model.one_hot(X).shape == (5, 3, len(VOCAB))
    assert torch.equal(model.one_hot(X).argmax(2), X.T)
    assert model(X).shape == (3, 5, len(VOCAB))


def test_an_output_depends_on_nothing_that_comes_later(make_model):
    model = make_model(len(VOCAB))
    X = torch.randint(len(VOCAB), (2, 8))
    changed = X.clone()
    changed[:, 5] = (X[:, 5] + 1) % len(VOCAB)
    before, after = model(X), model(changed)
    torch.testing.assert_close(before[:, :5], after[:, :5])
    assert not torch.allclose(before[:, 5:], after[:, 5:])


def test_the_loss_is_the_mean_over_all_examples_and_steps(make_model):
    model = make_model(4)
    Y_hat, Y = torch.randn(2, 3, 4), torch.randint(4, (2, 3))
    mean = sum(-Y_hat[i, t].log_softmax(0)[Y[i, t]] for i in range(2) for t in range(3)) / 6
    torch.testing.assert_close(model.loss(Y_hat, Y), mean)


def test_uniform_guessing_among_28_has_perplexity_28(make_model):
    model = make_model(28)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    X, Y = torch.randint(28, (2, 4, 5))
    assert d2l.perplexity(model.loss(model(X), Y).item()) == pytest.approx(28, rel=1e-5)


def test_a_new_model_is_near_the_size_of_the_vocabulary():
    X, Y = torch.randint(28, (2, 64, 32))
    for model in (
        d2l.RNNLMScratch(d2l.RNNScratch(28, 32), 28),
        d2l.RNNLM(d2l.RNN(28, 32), 28),
        d2l.RNNLM(d2l.GRU(28, 32, num_layers=2), 28),
    ):
        assert d2l.perplexity(model.loss(model(X), Y).item()) == pytest.approx(28, rel=0.05)


def test_a_perplexity_in_the_plot_is_the_exponential_of_the_mean_cross_entropy(make_model, lines):
    data = lines(batch_size=20, num_train=60, num_val=60)
    model = make_model(len(data.vocab), lr=0.0)
    model.board.display = False
    d2l.Trainer(max_epochs=2).fit(model, data)
    with torch.no_grad():
        losses = [model.loss(model(X), Y).item() for X, Y in data.val_dataloader()]
    expected = math.exp(sum(losses) / 3)
    assert model.board.curves["val_ppl"] == [(1, pytest.approx(expected)), (2, pytest.approx(expected))]


class TestPrediction:
    @pytest.mark.parametrize("prefix", ["t", "it", "the time"])
    @pytest.mark.parametrize("num_preds", [0, 1, 12])
    def test_continues_the_prefix_with_the_most_probable_characters(self, make_model, prefix, num_preds):
        model = make_model(len(VOCAB))
        tokens = VOCAB[list(prefix)]
        for _ in range(num_preds):  # reads everything again instead of keeping the state
            tokens.append(int(model(torch.tensor([tokens]))[0, -1].argmax()))
        assert model.predict(prefix, num_preds, VOCAB) == "".join(VOCAB.to_tokens(tokens))

    def test_has_the_wanted_length(self, make_model):
        model = make_model(len(VOCAB))
        text = model.predict("it will", 20, VOCAB)
        assert text.startswith("it will")
        assert len(text.replace("<unk>", "?")) == len("it will") + 20

    def test_keeps_the_prefix_as_it_was_written(self, make_model):
        text = make_model(len(VOCAB)).predict("It has?", 5, VOCAB)
        assert text.startswith("It has?")
        assert len(text.replace("<unk>", "?")) == len("It has?") + 5

    def test_is_the_same_every_time_and_changes_no_parameter(self, make_model):
        model = make_model(len(VOCAB))
        before = [parameter.clone() for parameter in model.parameters()]
        assert model.predict("so", 20, VOCAB) == model.predict("so", 20, VOCAB)
        assert all(map(torch.equal, before, model.parameters()))

    def test_is_not_disturbed_by_dropout(self):
        gru = d2l.GRU(len(VOCAB), 16, num_layers=2, dropout=0.9)
        model = d2l.RNNLM(gru, len(VOCAB)).train()
        assert model.predict("so", 20, VOCAB) == model.predict("so", 20, VOCAB)

    def test_takes_a_device(self, make_model):
        model = make_model(len(VOCAB))
        assert model.predict("so", 5, VOCAB, d2l.cpu()) == model.predict("so", 5, VOCAB)

    def test_reads_an_unknown_character_as_the_unknown_token(self, make_model):
        model = make_model(len(VOCAB))
        assert model.predict("i?", 5, VOCAB)[2:] == model.predict("i!", 5, VOCAB)[2:]

    def test_without_a_prefix_is_a_clear_error(self, make_model):
        with pytest.raises(ValueError, match="the prefix must have at least one character"):
            make_model(len(VOCAB)).predict("", 5, VOCAB)
