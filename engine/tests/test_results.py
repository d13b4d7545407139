"""Results that are not as expected, and reruns that are not as before."""

from __future__ import annotations

import pytest

from polybook.bounds import Bound
from polybook.outputs import Provenance, make_record
from polybook.results import CURVES, check_record, compare_records, diff_records

PROVENANCE = Provenance("pytorch", "2.6.0", "3.11.7", "cpu", {})
EXPECT = {"val_ppl": Bound("<", 9)}


def stream(text, name="stdout"):
    return {"output_type": "stream", "name": name, "text": text}


def value(text):
    return {"output_type": "execute_result", "data": {"text/plain": text}, "metadata": {}}


def plot(svg="<svg/>", **curves):
    drawn = [{"name": name, "x": list(range(len(y))), "y": y} for name, y in curves.items()]
    data = {"image/svg+xml": svg, "text/plain": f"Plot {svg}", CURVES: {"curves": drawn}}
    return {"output_type": "display_data", "data": data, "metadata": {}}


def image(**formats):
    mimes = {"svg": "image/svg+xml", "png": "image/png"}
    data = {mimes[name]: content for name, content in formats.items()}
    return {"output_type": "display_data", "data": data, "metadata": {}}


def record(*cells):
    return make_record("rnn", [f"cell({number})" for number in range(len(cells))], cells, {}, PROVENANCE)


def places(one):
    return [("chapters/en/rnn.md", 10 * number) for number in range(1, len(one.cells) + 1)]


def check(*cells, expect=None, training=()):
    one = record(*cells)
    return [str(found) for found in check_record(one, expect or {}, places(one), training)]


def compare(old, new):
    old, new = record([], old), record([], new)
    return [found.what.partition(": ")[2] for found in compare_records(old, new, places(old))]


def test_results_as_expected():
    assert check([stream("Traceback"), value("1")], [plot(val_ppl=[20, None, 8.9])], expect=EXPECT) == []


def test_every_plot_must_meet_the_bound():
    cells = [plot(val_ppl=[20, 8]), plot(train_ppl=[30], val_ppl=[20, 9.25])], [plot(val_ppl=[1, None])]

    assert check(*cells, expect=EXPECT) == [
        "chapters/en/rnn.md:10: X010 `val_ppl` ends at 9.25 in pytorch; `expect` says < 9. "
        "Mend the code, or the bound in `_config.yml`.",
        "chapters/en/rnn.md:20: X010 `val_ppl` ends at no finite number in pytorch; `expect` says < 9. "
        "Mend the code, or the bound in `_config.yml`.",
    ]


def test_a_bound_needs_a_curve():
    (found,) = check([plot(train_ppl=[8])], expect=EXPECT)

    assert found.startswith("chapters/en/rnn.md: X010 No plot in pytorch has a curve `val_ppl`;")


@pytest.mark.parametrize("curves", [{}, {"a": []}, {"a": [1], "b": []}, {"a": [None, None]}])
def test_a_plot_without_data(curves):
    (found,) = check([], [plot(**curves)])

    assert found.startswith("chapters/en/rnn.md:20: X012 A plot of cell 2 in pytorch has a curve without")


@pytest.mark.parametrize("damaged", [None, [], {"curves": None}, {"curves": [1]}])
def test_a_plot_of_another_form_has_no_data(damaged):
    output = plot()
    output["data"][CURVES] = damaged

    assert "X012" in check([output])[0]


def test_a_training_without_a_plot():
    cells = [value("1")], [stream("loss 1.0"), plot(loss=[1])], [image(svg="<svg/>")]

    assert check(*cells, training=[1]) == []
    assert check(*cells, training=[0, 1, 2]) == [
        f"chapters/en/rnn.md:{line}: X016 The training in cell {number} in pytorch left no plot of its "
        "curves. Draw what the run gives."
        for number, line in ((1, 10), (3, 30))
    ]


def test_an_error_message():
    (found,) = check([stream("Traceback (most recent call last):\n  File ...\nValueError: 1\n", "stderr")])

    assert found.startswith(
        "chapters/en/rnn.md:10: X011 The result of cell 1 in pytorch is an error message."
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ([], []),
        ([stream("loss 0.100, -3e-5\n")], [stream("loss 0.104, -3.1e-05\n")]),
        ([value("tensor([1.00, nan])")], [value("tensor([1.01, nan])")]),
        ([plot("<a/>", ppl=[9, 8.0])], [plot("<b/>", ppl=[7, 7.5, 8.1])]),
        ([plot(ppl=[None])], [plot(ppl=[1, None])]),
        ([image(svg="<a d='M 10 1e3'/>")], [image(svg="<a d='M 10.1 1.01e3'/>")]),
        ([image(png="iVBO")], [image(png="iVBO")]),
        ([stream("ppl 1.3, 90028.0 tokens/sec on cpu")], [stream("ppl 1.3, 8e5 tokens/sec on cuda:0")]),
        ([stream("Wall time: 1min 3s, 5.2 µs")], [stream("Wall time: 2min 40s, 31 µs")]),
        ([stream("0.3 sec, 20 seconds at 12:30:01")], [stream("4 sec, 1e2 seconds at 09:05:00")]),
        ([value("device(type='cpu')")], [value("device(type='cuda', index=0)")]),
        ([value("'/CPU:0'")], [value("'/job:localhost/replica:0/task:0/device:GPU:0'")]),
        ([value("[CpuDevice(id=0)] cpu(0)")], [value("[CudaDevice(id=1)] gpu(1)")]),
    ],
)
def test_a_rerun_within_the_tolerance(old, new):
    assert compare(old, new) == []


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        ([stream("loss 0.1\nend\n")], [stream("loss 0.2\nend\n")], "`loss 0.1` became `loss 0.2`."),
        ([stream("a\nb\n")], [stream("c\nd\n")], "`a` became `c` (and 1 more)."),
        ([stream("a 1\n")], [stream("a 1 2\n")], "`a 1` became `a 1 2`."),
        ([value("0")], [value("1e-9")], "`0` became `1e-9`."),
        ([stream("3 s, ppl 1")], [stream("9 s, ppl 2")], "`3 s, ppl 1` became `9 s, ppl 2`."),
        ([stream("1 min 3 max")], [stream("2 min 3 max")], "`1 min 3 max` became `2 min 3 max`."),
        ([stream("on cpu")], [stream("on paper")], "`on cpu` became `on paper`."),
        ([value("'the'")], [], "text/plain became nothing."),
        ([stream("x")], [value("x")], "stdout became text/plain."),
        ([plot(ppl=[8])], [plot(ppl=[9])], "ppl ended at 8 and ends at 9 now."),
        ([plot(ppl=[8])], [plot(ppl=[None])], "ppl ended at 8 and ends at no finite number now."),
        ([plot(a=[8])], [plot(a=[8], b=[1])], "the curve nothing became b."),
        ([image(svg="<a d='M 10'/>")], [image(svg="<a d='M 20'/>")], "the image, image/svg+xml, changed."),
        ([image(png="iVBO")], [image(png="iVBX")], "the image, image/png, changed."),
        ([image(png="iVBO")], [image(svg="<svg/>")], "image/png became image/svg+xml."),
        ([value("x" * 100)], [value("y")], f"`{'x' * 60}...` became `y`."),
        (
            [value("1.00 " + "x" * 100 + "a" + "z" * 100)],
            [value("1.01 " + "x" * 100 + "b" + "z" * 100)],
            f"`...{'x' * 20}a{'z' * 39}...` became `...{'x' * 20}b{'z' * 39}...`.",
        ),
        (
            [value("x" * 100 + "a")],
            [value("x" * 100)],
            f"`...{'x' * 59}a` became `...{'x' * 60}`.",
        ),
        ([value("1000 words")], [value("1001 words")], "`1000 words` became `1001 words`."),
        ([value("-3")], [value("3")], "`-3` became `3`."),
    ],
)
def test_a_rerun_that_differs(old, new, change):
    assert compare(old, new) == [change]
    assert diff_records(record([], old), record([], new)).startswith("--- cell 2 in pytorch, as stored\n+++ ")


def test_a_diff_of_the_first_outputs_that_differ():
    old = [stream("same\nloss 1.00\nlast\n"), plot(ppl=[9, 8], loss=[1]), image(png="iVBO")], [value("1")]
    new = [stream("same\nloss 1.01\nlost\n"), plot(ppl=[9, 4], loss=[1]), image(png="iVBO")], [value("2")]

    assert diff_records(record(*old), record(*new)).splitlines() == [
        "--- cell 1 in pytorch, as stored",
        "+++ cell 1 in pytorch, now",
        "@@ -2,4 +2,4 @@",
        " loss 1.00",
        "-last",
        "-ppl ends at 8",
        "+lost",
        "+ppl ends at 4",
        " loss ends at 1",
    ]
    assert diff_records(record(*old), record(*old)) == ""


def test_a_diff_is_short_and_shows_what_differs_in_long_lines():
    old, new = ([stream("\n".join("x" * 150 + f"{end} {n}." for n in range(90)))] for end in "ab")
    diff = diff_records(record(old), record(new)).splitlines()

    assert len(diff) == 41
    assert diff[-1].endswith(" more lines")
    assert f"-{'x' * 50}a 0." in diff
    assert f"+{'x' * 50}b 0." in diff
