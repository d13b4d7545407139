"""The programs that measure the library run through, so that what they are to compare can be compared."""

import json

import pytest
from conftest import FRAMEWORK, ROOT

#: Runs a program as if it had been called with arguments.
CALL = """
import runpy, sys
sys.argv = {argv!r}
sys.path.insert(0, {folder!r})
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture
def measured(run_script):
    """Runs a program of `benchmarks/` on the story that stands in for the book; returns its lines of JSON."""

    def measured(program, *arguments):
        path = ROOT / "benchmarks" / program
        call = CALL.format(argv=[str(path), *arguments], folder=str(path.parent))
        printed = run_script(call, TF_CPP_MIN_LOG_LEVEL="3")
        return [json.loads(line) for line in printed.splitlines() if line.startswith("{")]

    return measured


@pytest.mark.slow
@pytest.mark.parametrize(
    ("interface", "kinds"),
    [
        ("classes", {"scratch", "scratch, tokens", "concise"}),
        ("functions", {f"{cell}{how}" for cell in ("RNN", "GRU", "LSTM") for how in ("", " scratch")}),
    ],
)
def test_every_model_is_measured(measured, interface, kinds):
    (found,) = measured("cases/measure.py", FRAMEWORK, "ours", interface, "1")
    assert set(found["cases"]) == kinds
    # On any machine the products of a small model are no faster than eight times those of a large one.
    assert all(0 < case["gflops"] < 8 * found["product"] for case in found["cases"].values())


@pytest.mark.slow
@pytest.mark.skipif(FRAMEWORK not in ("pytorch", "jax"), reason="devices are compared in PyTorch and JAX")
def test_devices_are_compared(measured):
    rows = measured("devices.py", FRAMEWORK, "--epochs", "1")
    assert {row["hiddens"] for row in rows} == {32, 256}
    assert all(row["seconds"] > 0 and row["tokens"] > 0 for row in rows)
