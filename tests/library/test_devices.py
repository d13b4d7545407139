"""The devices of a machine, and the trainer's arguments, which are the same in every framework."""

import inspect

import pytest

#: The switches of the trainer that a framework does not have.
LACKING = {"tensorflow": ["mixed_precision"], "mxnet": ["mixed_precision", "compile"]}
SAYS = {
    "tensorflow": r"Keras with dtype='mixed_bfloat16'",
    "mxnet": "MXNet has no mixed_precision and no compile",
}


def test_the_cpu_takes_the_place_of_an_absent_gpu_that_is_only_tried(d2l, without_gpus):
    assert d2l.try_gpu() == d2l.try_gpu(7) == d2l.try_gpu(-1) == d2l.cpu()
    assert d2l.try_all_gpus() == [d2l.cpu()]


def test_an_absent_gpu_that_is_insisted_on_is_a_clear_error(d2l):
    with pytest.raises(ValueError, match=f"^no GPU number 99: there are {d2l.num_gpus()}$"):
        d2l.gpu(99)


def test_gpus_are_not_counted_from_the_end(d2l, monkeypatch):
    monkeypatch.setattr(d2l, "num_gpus", lambda: 2)
    assert d2l.try_gpu(-1) == d2l.cpu()
    with pytest.raises(ValueError, match=r"^no GPU number -1: there are 2$"):
        d2l.gpu(-1)


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


def test_a_trainer_does_without_a_gpu_and_says_so(d2l, without_gpus, capsys):
    assert list(d2l.Trainer(max_epochs=1).gpus) == []
    assert capsys.readouterr().out == ""
    assert list(d2l.Trainer(max_epochs=1, num_gpus=1).gpus) == []
    assert capsys.readouterr().out == "There is no GPU. The CPU does the work.\n"


@pytest.mark.parametrize("switch", ["mixed_precision", "compile"])
def test_a_switch_that_the_framework_does_not_have_is_refused_at_once(d2l, framework, switch):
    if switch in LACKING.get(framework, ()):
        with pytest.raises(ValueError, match=SAYS[framework]):
            d2l.Trainer(max_epochs=1, **{switch: True})
    else:
        assert getattr(d2l.Trainer(max_epochs=1, **{switch: True}), switch)


@pytest.mark.parametrize("num_gpus", [2, -1])
def test_other_numbers_of_gpus_are_refused(d2l, num_gpus):
    with pytest.raises(ValueError, match=f"^num_gpus must be 0 or 1, not {num_gpus}$"):
        d2l.Trainer(max_epochs=1, num_gpus=num_gpus)
