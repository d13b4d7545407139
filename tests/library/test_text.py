"""From a text to windows of tokens."""

import time

import numpy as np
import pytest


def test_cleaning_keeps_letters_and_single_spaces(d2l):
    data = d2l.DataModule.__new__(d2l.TimeMachine)
    assert data._preprocess("  The “Time\n\nTraveller”, 1895: don't!  ") == "the time traveller don t"
    assert data._preprocess("42!") == ""


def test_building_with_a_vocabulary_keeps_its_numbers(d2l, book):
    book("a bb ccc dddd")
    data = d2l.TimeMachine(batch_size=1, num_steps=2)
    corpus, vocab = data.build("A bad cab, eh?", data.vocab)
    assert vocab is data.vocab
    assert "".join(vocab.to_tokens(corpus)) == "a bad cab <unk><unk>"


def numbered(d2l, length, **arguments):
    """Windows of a text whose tokens are the places 0, 1, ... at which they stand."""

    class Places(d2l.TimeMachine):
        def _download(self):
            return ""

        def build(self, raw_text, vocab=None):
            return list(range(length)), None

    return Places(**{"batch_size": 4, "num_steps": 3} | arguments)


def windows(data, train):
    """All windows of an epoch, with the last target at their ends, and the sizes of the minibatches."""
    return windows_of(data.get_dataloader(train))


def windows_of(loader):
    """What `windows` returns, for a loader that may have been read before."""
    batches = [(np.asarray(X), np.asarray(Y)) for X, Y in loader]
    for X, Y in batches:
        assert X.shape == Y.shape
        assert (X[:, 1:] == Y[:, :-1]).all()
    joined = [np.concatenate([X, Y[:, -1:]], axis=1) for X, Y in batches]
    return np.concatenate(joined), [len(X) for X, _ in batches]


CASES = {
    "fits": {"length": 100, "num_train": 20, "num_val": 10},
    "just fits": {"length": 36, "num_train": 20, "num_val": 10},
    "too short by one": {"length": 35, "num_train": 20, "num_val": 10},
    "much too short": {"length": 30, "num_train": 10000, "num_val": 5000},
    "one window each": {"length": 8, "num_train": 10000, "num_val": 5000},
    "one step": {"length": 12, "num_train": 7, "num_val": 3, "num_steps": 1},
    "hardly any training": {"length": 30, "num_train": 1, "num_val": 5000},
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
class TestWindows:
    def test_are_consecutive_tokens_from_the_text(self, d2l, case):
        data = numbered(d2l, **case)
        for train in (True, False):
            found, sizes = windows(data, train)
            assert found.shape == (data.num_train if train else data.num_val, data.num_steps + 1)
            assert (np.diff(found, axis=1) == 1).all()
            assert 0 <= found.min() <= found.max() < case["length"]
            assert all(size == data.batch_size for size in sizes[:-1])

    def test_training_passes_once_over_each_from_the_start(self, d2l, case):
        data = numbered(d2l, **case)
        found, _ = windows(data, train=True)
        assert sorted(found[:, 0]) == list(range(data.num_train))

    def test_validation_is_in_order_and_shares_no_text_with_training(self, d2l, case):
        data = numbered(d2l, **case)
        training, validation = windows(data, train=True)[0], windows(data, train=False)[0]
        assert validation[0, 0] == training.max() + 1
        assert (np.diff(validation[:, 0]) == 1).all()


def test_a_short_text_is_used_to_its_last_token_in_the_same_proportion(d2l):
    data = numbered(d2l, length=36, num_train=200, num_val=100)
    assert (data.num_train, data.num_val) == (20, 10)
    assert windows(data, train=False)[0].max() == 35


def test_training_windows_come_in_another_order_in_each_epoch(d2l):
    data = numbered(d2l, length=200, num_train=100, num_val=50)
    loader = data.get_dataloader(train=True)
    first, second = windows_of(loader)[0], windows_of(loader)[0]
    assert not (first == second).all()
    assert (windows(data, train=False)[0] == windows(data, train=False)[0]).all()


@pytest.mark.parametrize("text", ["", "1895", "abcdefg"])
def test_a_text_that_is_too_short_is_a_clear_error(d2l, book, text):
    book(text)
    tokens = len(text) if text.isalpha() else 0
    with pytest.raises(ValueError, match=f"^{tokens} tokens, too few for 3 steps$"):
        d2l.TimeMachine(batch_size=2, num_steps=3)


def test_the_shortest_text_that_is_long_enough(d2l, book):
    book("abcdefgh")
    data = d2l.TimeMachine(batch_size=2, num_steps=3)
    [(X, Y)] = data.val_dataloader()
    assert data.vocab.to_tokens(X) == [["e", "f", "g"]]
    assert data.vocab.to_tokens(Y) == [["f", "g", "h"]]


@pytest.mark.parametrize(("num_train", "num_val"), [(0, 10), (-5, 10), (10, -1)])
def test_numbers_of_windows_that_cannot_be_are_a_clear_error(d2l, num_train, num_val):
    with pytest.raises(
        ValueError, match=f"^cannot have {num_train} windows to train on and {num_val} to val"
    ):
        numbered(d2l, length=100, num_train=num_train, num_val=num_val)


def test_there_may_be_no_validation(d2l):
    data = numbered(d2l, length=100, num_train=10, num_val=0)
    assert len(list(data.train_dataloader())) == 3
    assert list(data.val_dataloader()) == []


def test_loading_a_book_takes_no_time_to_speak_of(d2l, book, story):
    book(story * (180_000 // len(story)))  # as long as the real one
    took = []
    for _ in range(3):
        begun = time.process_time()
        d2l.TimeMachine(batch_size=1024, num_steps=32)
        took.append(time.process_time() - begun)
    assert min(took) < 1
