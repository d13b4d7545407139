"""The devices of a machine, and the trainer's arguments, which are the same in every framework."""

import inspect

import pytest


@pytest.fixture
def without_gpus(d2l, monkeypatch):
    monkeypatch.setattr(d2l, "num_gpus", lambda: 0)


def test_the_cpu_takes_the_place_of_an_absent_gpu_that_is_only_tried(d2l, without_gpus):
    assert d2l.try_gpu() == d2l.try_gpu(7) == d2l.cpu()
    assert d2l.try_all_gpus() == [d2l.cpu()]


def test_an_absent_gpu_that_is_insisted_on_is_a_clear_error(d2l):
    with pytest.raises(ValueError, match=f"^no GPU number 99: there are {d2l.num_gpus()}$"):
        d2l.gpu(99)


def test_every_gpu_can_be_had(d2l):
    gpus = [d2l.gpu(i) for i in range(d2l.num_gpus())]
    assert d2l.try_all_gpus() == gpus or [d2l.cpu()]
    assert len(set(map(str, gpus))) == d2l.num_gpus()


def test_trainers_have_the_same_arguments_everywhere(d2l):
    parameters = inspect.signature(d2l.Trainer).parameters.values()
    assert {each.name: each.default for each in parameters if each.default is not each.empty} == {
        "num_gpus": 0,
        "gradient_clip_val": 0,
        "mixed_precision": False,
        "compile": False,
    }
    assert next(iter(inspect.signature(d2l.Trainer).parameters)) == "max_epochs"


def test_a_trainer_has_a_gpu_where_one_is_wanted_and_there(d2l):
    assert list(d2l.Trainer(max_epochs=1).gpus) == []
    assert len(d2l.Trainer(max_epochs=1, num_gpus=1).gpus) == min(1, d2l.num_gpus())


def test_a_trainer_does_without_a_gpu(d2l, without_gpus):
    assert list(d2l.Trainer(max_epochs=1, num_gpus=1).gpus) == []


@pytest.mark.parametrize("num_gpus", [2, -1])
def test_other_numbers_of_gpus_are_refused(d2l, num_gpus):
    with pytest.raises(ValueError, match=f"^num_gpus must be 0 or 1, not {num_gpus}$"):
        d2l.Trainer(max_epochs=1, num_gpus=num_gpus)
