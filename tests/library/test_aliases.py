"""The framework-neutral names: each does the same in every framework, within limits, tested as well."""

import numpy as np
import pytest

A = [[1.0, -2.0, 3.0], [4.0, 5.0, -6.0]]
a = np.array(A, dtype=np.float32)
X_GRID, Y_GRID = np.meshgrid([1.0, 2.0, 3.0], [4.0, 5.0])

#: A call, with `A` for the tensor of the numbers above, and what it gives in NumPy.
CALLS = {
    "d2l.tensor([[1, 2], [3, 4]])": np.array([[1, 2], [3, 4]]),
    "d2l.tensor([1.5, 2.5])": np.array([1.5, 2.5]),
    "d2l.zeros((2, 3))": np.zeros((2, 3)),
    "d2l.ones((2, 3))": np.ones((2, 3)),
    "d2l.zeros_like(A)": np.zeros((2, 3)),
    "d2l.ones_like(A)": np.ones((2, 3)),
    "d2l.eye(3)": np.eye(3),
    "d2l.arange(5)": np.arange(5),
    "d2l.arange(1, 7, 2)": np.arange(1, 7, 2),
    "d2l.linspace(0.0, 1.0, 5)": np.linspace(0, 1, 5),
    "d2l.meshgrid(d2l.arange(1, 4), d2l.arange(4, 6))[0]": X_GRID,
    "d2l.meshgrid(d2l.arange(1, 4), d2l.arange(4, 6))[1]": Y_GRID,
    "d2l.abs(A)": np.abs(a),
    "d2l.exp(A)": np.exp(a),
    "d2l.log(d2l.exp(A))": a,
    "d2l.sin(A)": np.sin(a),
    "d2l.cos(A)": np.cos(a),
    "d2l.sinh(A)": np.sinh(a),
    "d2l.cosh(A)": np.cosh(a),
    "d2l.tanh(A)": np.tanh(a),
    "d2l.sigmoid(A)": 1 / (1 + np.exp(-a)),
    "d2l.matmul(A, d2l.transpose(A))": a @ a.T,
    "d2l.transpose(A)": a.T,
    "d2l.concat((A, A))": np.concatenate((a, a)),
    "d2l.concat((A, A), 0)": np.concatenate((a, a), 0),
    "d2l.concat((A, A), axis=1)": np.concatenate((a, a), 1),
    "d2l.concat([A, A], 1)": np.concatenate((a, a), 1),
    "d2l.stack([A, A], 0)": np.stack([a, a], 0),
    "d2l.stack((A, A), 1)": np.stack([a, a], 1),
    "d2l.reshape(A, (3, 2))": a.reshape(3, 2),
    "d2l.reshape(A, (-1,))": a.reshape(-1),
    "d2l.reduce_sum(A)": a.sum(),
    "d2l.reduce_sum(A, 0)": a.sum(0),
    "d2l.reduce_sum(A, axis=1)": a.sum(1),
    "d2l.reduce_sum(A, axis=1, keepdims=True)": a.sum(1, keepdims=True),
    "d2l.reduce_mean(A)": a.mean(),
    "d2l.reduce_mean(A, axis=0)": a.mean(0),
    "d2l.reduce_mean(A, 1, keepdims=True)": a.mean(1, keepdims=True),
    "d2l.argmax(A, axis=1)": a.argmax(1),
    "d2l.astype(A, d2l.int32)": a.astype(np.int32),
    "d2l.astype(d2l.arange(3), d2l.float32)": np.arange(3, dtype=np.float32),
    "d2l.to(A, d2l.try_gpu())": a,
}
#: A call beyond the limits that `_config.yml` names, what it gives in NumPy, and where it gives that, too.
#: `I` is a tensor of the integers 1 and 2, `B` one of shape (1, 2, 3).
BEYOND = {
    "d2l.zeros(2, 3)": (np.zeros((2, 3), np.float32), {"pytorch"}),
    "d2l.ones(2, 3)": (np.ones((2, 3), np.float32), {"pytorch"}),
    "d2l.reshape(A, 3, 2)": (a.reshape(3, 2), {"pytorch", "jax", "mxnet"}),
    "d2l.rand((2, 3)) * 0": (np.zeros((2, 3), np.float32), {"pytorch"}),
    "d2l.argmax(A)": (a.argmax(), {"pytorch", "jax", "mxnet"}),
    "d2l.exp(I)": (np.exp(np.float32([1, 2])), {"pytorch", "jax"}),
    "d2l.reduce_mean(I)": (np.float32(1.5), {"jax", "mxnet"}),
    "d2l.linspace(0, 1, 3)": (np.float32([0, 0.5, 1]), {"pytorch", "jax", "mxnet"}),
    "d2l.transpose(B)": (a[None].T, {"tensorflow", "jax", "mxnet"}),
    "d2l.tensor([1, 2])": (np.array([1, 2]), {"pytorch", "tensorflow", "jax"}),
    "d2l.arange(2)": (np.arange(2), {"pytorch", "tensorflow", "jax"}),
    "d2l.normal(0.0, 0.0, (2, 3))": (np.zeros((2, 3), np.float32), {"pytorch", "jax", "mxnet"}),
}
#: Frameworks whose own function, which programs call by this alias, wants the shape first.
SHAPE_FIRST = {"tensorflow"}


@pytest.fixture
def A_(d2l):
    return d2l.tensor(A)


@pytest.mark.parametrize("call", CALLS)
def test_a_call_gives_what_numpy_gives(d2l, A_, call):
    result = d2l.numpy(eval(call, {"d2l": d2l, "A": A_}))  # noqa: S307 - the calls are our own
    assert isinstance(result, np.ndarray)
    assert result.shape == np.shape(CALLS[call])
    np.testing.assert_allclose(result, CALLS[call], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("call", BEYOND)
def test_beyond_a_limit_frameworks_differ(d2l, framework, A_, call):
    expected, agreeing = BEYOND[call]
    names = {"d2l": d2l, "A": A_, "B": d2l.reshape(A_, (1, 2, 3)), "I": d2l.tensor([1, 2], dtype=d2l.int32)}
    try:
        result = d2l.numpy(eval(call, names))  # noqa: S307 - the calls are our own
    except Exception:  # each framework refuses in its own way
        agrees = False
    else:
        kind = np.integer if expected.dtype.kind == "i" else expected.dtype
        is_like = result.shape == expected.shape and np.issubdtype(result.dtype, kind)
        agrees = is_like and np.allclose(result, expected)
    assert agrees == (framework in agreeing)


@pytest.mark.parametrize("make", ["zeros", "ones"])
def test_a_shape_of_several_numbers_is_never_taken_for_another(d2l, framework, make):
    if framework == "pytorch":
        assert getattr(d2l, make)(2, 3).shape == (2, 3)
        return
    with pytest.raises(TypeError):
        getattr(d2l, make)(2, 3)


def test_types_are_those_asked_for(d2l, A_):
    assert d2l.numpy(A_).dtype == d2l.numpy(d2l.astype(d2l.arange(2), d2l.float32)).dtype == np.float32
    assert d2l.numpy(d2l.astype(A_, d2l.int32)).dtype == np.int32
    assert d2l.numpy(d2l.zeros((2,), dtype=d2l.int32)).dtype == np.int32
    assert d2l.numpy(d2l.tensor([1], dtype=d2l.int32)).dtype.kind == "i"
    assert d2l.numpy(d2l.arange(2, dtype=d2l.int32)).dtype.kind == "i"
    assert d2l.numpy(d2l.zeros((2,))).dtype == d2l.numpy(d2l.ones((2,))).dtype == np.float32


def test_the_size_is_the_number_of_entries(d2l, A_):
    assert int(d2l.size(A_)) == 6


def test_random_numbers_have_their_distribution(d2l, framework):
    shape = (100, 50)
    normal = d2l.normal(shape, 2, 0.5) if framework in SHAPE_FIRST else d2l.normal(2, 0.5, shape)
    uniform = d2l.rand(*shape)
    for numbers, mean, std in ((normal, 2, 0.5), (uniform, 0.5, 12**-0.5)):
        found = d2l.numpy(numbers)
        assert found.dtype == np.float32
        assert found.shape == shape
        assert found.mean() == pytest.approx(mean, abs=0.05)
        assert found.std() == pytest.approx(std, abs=0.05)
    assert 0 <= d2l.numpy(uniform).min() < 0.01
    assert 0.99 < d2l.numpy(uniform).max() <= 1


def test_python_keeps_its_own_names(d2l):
    assert "abs" not in vars(d2l)
    assert not hasattr(d2l, "nothing")
