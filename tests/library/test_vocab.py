"""Tokens and their numbers."""

import numpy as np
import pytest


@pytest.fixture
def vocab(d2l):
    return d2l.Vocab(list("abracadabra"))


def test_tokens_are_numbered_by_falling_frequency_and_alphabetically_among_equals(vocab):
    assert vocab.idx_to_token == ["<unk>", "a", "b", "r", "c", "d"]
    assert vocab.token_freqs == [("a", 5), ("b", 2), ("r", 2), ("c", 1), ("d", 1)]
    assert len(vocab) == 6


def test_the_order_of_the_text_does_not_matter(d2l):
    for text in ("dcdcab", "bacdcd"):
        assert d2l.Vocab(list(text)).idx_to_token == ["<unk>", "c", "d", "a", "b"]


def test_round_trip(vocab):
    tokens = list("cabbard")
    assert vocab.to_tokens(vocab[tokens]) == tokens
    assert [vocab.to_tokens(vocab[token]) for token in tokens] == tokens
    every = list(range(len(vocab)))
    assert vocab[vocab.to_tokens(every)] == every


def test_the_nesting_of_lists_is_kept(vocab):
    tokens = [["a", "b"], ["c"], []]
    assert vocab[tokens] == [[1, 2], [4], []]
    assert vocab.to_tokens(vocab[tokens]) == tokens
    assert vocab[("a", "b")] == [1, 2]


def test_indices_may_be_an_array(vocab):
    assert vocab.to_tokens(np.array([[1, 2], [3, 4]])) == [["a", "b"], ["r", "c"]]
    assert vocab.to_tokens(np.array(1)) == "a"
    assert vocab.to_tokens(np.array([1])) == ["a"]


def test_an_unknown_token_has_the_number_0(vocab):
    assert vocab.unk == 0
    assert vocab["z"] == 0
    assert vocab[["a", "z"]] == [1, 0]
    assert vocab.to_tokens(0) == "<unk>"


def test_rare_tokens_count_as_unknown(d2l):
    vocab = d2l.Vocab(list("abracadabra"), min_freq=2)
    assert vocab.idx_to_token == ["<unk>", "a", "b", "r"]
    assert vocab["c"] == vocab.unk
    assert ("c", 1) in vocab.token_freqs


def test_reserved_tokens_come_first_and_none_twice(d2l):
    vocab = d2l.Vocab(list("aab"), min_freq=2, reserved_tokens=["<pad>", "b", "<unk>"])
    assert vocab.idx_to_token == ["<unk>", "<pad>", "b", "a"]
    assert vocab[vocab.idx_to_token] == [0, 1, 2, 3]


def test_lists_of_tokens_count_like_one_list(d2l):
    lines = [["the", "time"], [], ["the", "traveller"]]
    assert d2l.Vocab(lines).token_freqs == d2l.Vocab(["the", "time", "the", "traveller"]).token_freqs


def test_no_tokens_at_all(d2l):
    assert d2l.Vocab().idx_to_token == ["<unk>"]
    assert d2l.Vocab([])["a"] == 0


@pytest.mark.parametrize("kind", [list, iter, tuple, np.array])
def test_tokens_come_from_anything_that_has_them(d2l, kind):
    vocab = d2l.Vocab(kind(list("abracadabra")))
    assert vocab.idx_to_token == ["<unk>", "a", "b", "r", "c", "d"]
    assert {type(token) for token in vocab.idx_to_token} == {str}
    assert d2l.Vocab(kind([["a", "b"], ["a", "c"]])).idx_to_token == ["<unk>", "a", "b", "c"]


def test_none_reserves_no_tokens(d2l):
    assert d2l.Vocab(list("aab"), 0, None).idx_to_token == ["<unk>", "a", "b"]


@pytest.mark.parametrize("index", [-1, 6])
def test_indices_are_not_counted_from_the_end(vocab, index):
    with pytest.raises(IndexError):
        vocab.to_tokens([1, index])
