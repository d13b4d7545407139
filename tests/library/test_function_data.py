"""The text by way of functions: lines, tokens, and minibatches in two orders."""

import itertools
import random

import numpy as np
import pytest

TEXT = "The Time\n\nMachine, by H. G. Wells [1898]\n"
CASES = [(35, 2, 5), (100, 4, 3), (1000, 32, 7), (21, 1, 10), (50, 7, 1)]
EVERY_CASE = pytest.mark.parametrize(("length", "batch_size", "num_steps"), CASES)
BOTH = pytest.mark.parametrize("order", ["random", "sequential"])


def epoch(d2l, order, length, batch_size, num_steps):
    """The minibatches of a text whose tokens are the places at which they stand."""
    iterate = getattr(d2l, f"seq_data_iter_{order}")
    batches = iterate(list(range(length)), batch_size=batch_size, num_steps=num_steps)
    return [(d2l.numpy(X), d2l.numpy(Y)) for X, Y in batches]


def test_lines_are_cleaned_one_by_one(d2l, book):
    book(TEXT)
    assert d2l.read_time_machine() == ["the time", "", "machine by h g wells"]


def test_lines_become_words_or_characters(d2l):
    lines = ["the time", "", "a b"]
    assert d2l.tokenize(lines) == [["the", "time"], [], ["a", "b"]]
    assert d2l.tokenize(lines, "char") == [list("the time"), [], list("a b")]
    assert d2l.Vocab(d2l.tokenize(lines)).token_freqs[0] == ("a", 1)
    with pytest.raises(ValueError, match=r"^token must be 'word' or 'char', not 'line'$"):
        d2l.tokenize(lines, "line")


def test_the_corpus_is_that_of_the_class(d2l, book, story):
    book(story)
    corpus, vocab = d2l.load_corpus_time_machine()
    data = d2l.TimeMachine(batch_size=1, num_steps=2)
    assert vocab.idx_to_token == data.vocab.idx_to_token
    assert corpus == data.build(story)[0]


def test_a_limit_cuts_the_corpus_and_not_the_vocabulary(d2l, book):
    book(TEXT)
    whole, vocab = d2l.load_corpus_time_machine(max_tokens=-1)
    corpus, same = d2l.load_corpus_time_machine(max_tokens=8)
    assert corpus == whole[:8]
    assert "".join(vocab.to_tokens(corpus)) == "the time"
    assert same.idx_to_token == vocab.idx_to_token


@BOTH
@EVERY_CASE
class TestMinibatches:
    def test_have_one_shape_and_targets_are_inputs_moved_by_one(
        self, d2l, order, length, batch_size, num_steps
    ):
        batches = epoch(d2l, order, length, batch_size, num_steps)
        assert batches
        for X, Y in batches:
            assert X.shape == Y.shape == (batch_size, num_steps)
            assert (Y == X + 1).all()
            assert (np.diff(X, axis=1) == 1).all()
            assert 0 <= X.min() <= Y.max() < length

    def test_show_every_token_once(self, d2l, order, length, batch_size, num_steps):
        for seed in range(20):
            random.seed(seed)
            batches = epoch(d2l, order, length, batch_size, num_steps)
            tokens = np.concatenate([X.ravel() for X, _ in batches])
            assert len(set(tokens.tolist())) == len(tokens)
            # What is left out: the beginning, the end, and what does not fill a minibatch or a row
            assert length - len(tokens) <= (batch_size + 1) * num_steps + batch_size

    def test_come_with_another_offset_and_the_same_seed_gives_the_same(
        self, d2l, order, length, batch_size, num_steps
    ):
        def firsts(seed):
            random.seed(seed)
            return [epoch(d2l, order, length, batch_size, num_steps)[0][0].tolist() for _ in range(30)]

        assert firsts(0) == firsts(0)
        if num_steps > 1:
            assert len({str(X) for X in firsts(0)}) > 1


@EVERY_CASE
def test_each_sequential_minibatch_continues_the_one_before(d2l, length, batch_size, num_steps):
    batches = epoch(d2l, "sequential", length, batch_size, num_steps)
    for (_, Y), (X, _) in itertools.pairwise(batches):
        assert (X[:, 0] == Y[:, -1]).all()


def test_random_minibatches_are_shuffled(d2l):
    random.seed(0)
    starts = [X[0, 0] for X, _ in epoch(d2l, "random", 1000, 2, 5)]
    assert starts != sorted(starts)


def test_a_text_without_a_minibatch_gives_none(d2l):
    assert epoch(d2l, "random", 5, 2, 5) == epoch(d2l, "sequential", 5, 2, 5) == []


@pytest.mark.parametrize("use_random_iter", [False, True])
def test_a_loader_can_be_passed_through_again(d2l, book, story, use_random_iter):
    book(story)
    loader, vocab = d2l.load_data_time_machine(4, 10, use_random_iter, max_tokens=500)
    assert len(loader.corpus) == 500
    assert loader.vocab is vocab
    for _ in range(2):
        text = ["".join(vocab.to_tokens(row)) for X, _ in loader for row in X]
        assert len(text) in (44, 48)
        assert all(row in "".join(vocab.to_tokens(loader.corpus)) for row in text)


def test_a_loader_reads_10000_tokens_by_default_in_order(d2l, book, story):
    book(story)
    loader, _ = d2l.load_data_time_machine(batch_size=32, num_steps=35)
    assert len(loader.corpus) == 10_000
    batches = [(d2l.numpy(X), d2l.numpy(Y)) for X, Y in loader]
    assert len(batches) == 8
    assert (batches[0][1][:, -1] == batches[1][0][:, 0]).all()
