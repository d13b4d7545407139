"""Running a book's code: side by side, in slots, and what is kept when something goes wrong.

The engine's own environment stands in for PyTorch's; a folder in the book says which version it has.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from polybook.cli import main
from polybook.outputs import to_files
from polybook.pipeline.book import load_book
from polybook.pipeline.measures import Cost, Measures, Shard, read_shard
from polybook.pipeline.memory import Memory, read_size
from polybook.pipeline.schedule import Slots, find_gpus, share_cores
from polybook.pipeline.units import find_state, find_units
from polybook.store import Store

#: Writes down which process runs a cell; faults look for it afterwards.
PID = "import os, pathlib, time\nopen(pathlib.Path('{root}', 'pids'), 'a').write(f'{{os.getpid()}}\\n')"


def cell(code: str) -> str:
    return f"```{{.python .input}}\n{code}\n```\n"


def write_book(root: Path, chapters: dict[str, list[str]], settings: str = "{}") -> Path:
    """Write a book for one framework with these cells in its chapters."""
    names = list(chapters)
    settings = f"{{languages: {{en: .}}, frameworks: [pytorch], chapters: {settings}}}"
    (root / "_config.yml").write_text(f"polybook: {settings}\n")
    files = "".join(f"\n  - file: {name}" for name in names[1:])
    (root / "_toc.yml").write_text(
        f"format: jb-book\nroot: {names[0]}\n" + f"chapters:{files}\n" * bool(files)
    )
    for name, codes in chapters.items():
        cells = "\n".join(cell(code) for code in [PID.format(root=root), *codes])
        (root / f"{name}.md").write_text(f"# {name}\n\n{cells}")
    if not (root / ".venvs").exists():
        (root / ".venvs").mkdir()
        (root / ".venvs/pytorch").symlink_to(sys.prefix)
        version = root / "torch-1.0.dist-info/METADATA"
        version.parent.mkdir()
        version.write_text("Metadata-Version: 2.1\nName: torch\nVersion: 1.0\n")
    return root


def execute(root: Path, *options: str) -> int:
    return main(["execute", "--book", str(root), *options])


def start(root: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "polybook", "execute", "--book", str(root), *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def words(root: Path) -> dict[str, str]:
    """Return how each chapter stands to its stored results."""
    states = (find_state(unit) for unit in find_units(load_book(root)))
    assert all(not found for _, found in states)
    return {unit.chapter.name: find_state(unit)[0].word for unit in find_units(load_book(root))}


def text(root: Path, chapter: str) -> str:
    """Return what the cells of a chapter printed."""
    (unit,) = (unit for unit in find_units(load_book(root)) if unit.chapter.name == chapter)
    record = find_state(unit)[0].results.record
    return "".join(output.get("text", "") for cell in record.cells for output in cell.outputs)


def pids(root: Path) -> list[int]:
    path = root / "pids"
    return [int(pid) for pid in path.read_text().split()] if path.exists() else []


def is_running(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(condition, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.02)


#: Has the framework see a GPU, as far as anybody asks.
SEEING = """
import sys, types
cuda = types.SimpleNamespace(is_available=lambda: True, get_device_name=lambda: 'H')
sys.modules['torch'] = types.SimpleNamespace(cuda=cuda)
"""


# Slots


@pytest.mark.parametrize(
    ("cores", "jobs", "shares"),
    [
        ([0, 1, 2, 3], 1, [(0, 1, 2, 3)]),
        ([0, 1, 2, 3], 2, [(0, 2), (1, 3)]),
        ([4, 5, 6], 2, [(4, 6), (5,)]),
        ([4, 5], 3, [(4,), (5,), (4,)]),
    ],
)
def test_cores_are_shared_out(cores, jobs, shares):
    assert share_cores(cores, jobs) == shares


@pytest.mark.parametrize(
    ("named", "gpus"), [("2,0", ["2", "0"]), ("", []), ("-1", []), ("GPU-8a", ["GPU-8a"])]
)
def test_the_callers_variable_names_the_gpus(monkeypatch, named, gpus):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", named)

    assert find_gpus() == gpus


def test_a_gpu_is_given_to_one_run_at_a_time():
    held: list[str | None] = []
    together: list[int] = []

    async def use(slots, needs_gpu):
        async with slots.hold(needs_gpu=needs_gpu) as slot:
            held.append(slot.gpu)
            together.append(len([gpu for gpu in held if gpu]))
            await asyncio.sleep(0.01)
            held.remove(slot.gpu)

    async def use_all():
        slots = Slots(4, [0, 1], ["5"])
        await asyncio.gather(*(use(slots, number % 2 == 0) for number in range(8)))

    asyncio.run(use_all())

    assert max(together) == 1
    assert not held


def test_a_stopped_run_gives_its_slot_back():
    async def use():
        slots = Slots(1, [0], ["0"])
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01), slots.hold(needs_gpu=True):
                    await asyncio.sleep(1)
        async with slots.hold(needs_gpu=True) as slot:
            return slot.gpu

    assert asyncio.run(use()) == "0"


def test_the_longest_goes_first_and_the_unknown_before_it(tmp_path):
    root = write_book(tmp_path, {name: ["1"] for name in "abcd"})
    units = find_units(load_book(root))
    path = root / "measures.json"
    measures = Measures(path)
    for unit, seconds in zip(units, (1, 3, 2), strict=False):
        measures.keep(unit, Cost(seconds, 0))

    for kept in (measures, Measures(path)):
        assert "".join(unit.chapter.name for unit in kept.longest_first(units)) == "dbca"


@pytest.mark.parametrize("content", ["", "[]", "{", '{"pytorch/a": "long"}', '{"pytorch/a": {"years": 1}}'])
def test_lost_measures_are_no_error(tmp_path, content):
    units = find_units(load_book(write_book(tmp_path, {"a": ["1"]})))
    (tmp_path / "measures.json").write_text(content)

    assert Measures(tmp_path / "measures.json").longest_first(units) == units


# Shards


def shares(units, measures, count: int) -> list[list[str]]:
    parts = (measures.part(units, Shard(number, count)) for number in range(1, count + 1))
    return [[unit.chapter.name for unit in part] for part in parts]


@pytest.mark.parametrize("count", [1, 2, 3, 8, 11])
def test_shards_are_equal_in_number_where_nothing_is_known(tmp_path, count):
    units = find_units(load_book(write_book(tmp_path, {name: ["1"] for name in "abcdefgh"})))
    parts = shares(units, Measures(tmp_path / "none"), count)

    assert sorted(name for part in parts for name in part) == list("abcdefgh")
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    assert shares(units[::-1], Measures(tmp_path / "none"), count) == parts


def test_shards_take_the_same_time_where_times_are_known(tmp_path):
    units = find_units(load_book(write_book(tmp_path, {name: ["1"] for name in "abcdef"})))
    measures = Measures(tmp_path / "measures.json")
    for unit, seconds in zip(units, (10, 1, 4, 3, 2), strict=False):
        measures.keep(unit, Cost(seconds, 0))

    assert shares(units, measures, 2) == [["a", "e"], ["c", "f", "d", "b"]]  # f is thought to take 4 s


@pytest.mark.parametrize("text", ["", "2", "0/2", "3/2", "1/0", "-1/2", "a/b", "1/2/3"])
def test_what_is_no_shard(tmp_path, text, capsys):
    assert read_shard(text) is None
    assert execute(write_book(tmp_path, {"one": ["1"]}), f"--shard={text}") == 2
    assert "is no shard; write for example 2/8" in capsys.readouterr().err


def test_shards_do_all_the_work_between_them(tmp_path, capsys):
    """Each shard has a clone of its own, as in CI; fresh results are nobody's work."""
    chapters = {name: [f"print({name!r})"] for name in "abcd"}
    source = tmp_path / "source"
    source.mkdir()
    assert execute(write_book(source, chapters), "d") == 0
    capsys.readouterr()
    done = []
    for number in (1, 2):
        clone = shutil.copytree(source, tmp_path / f"{number}", symlinks=True)
        assert execute(clone, "--shard", f"{number}/2") == 0
        done += [name for name in "abc" if words(clone)[name] == "fresh"]
        run = [2, 1][number - 1]
        assert (
            f"{run} run, 1 fresh already, 0 failed. {3 - run} left to other shards."
            in capsys.readouterr().out
        )

    assert sorted(done) == ["a", "b", "c"]


# Memory


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("8G", 8 * 2**30),
        ("1.5 GiB", 3 * 2**29),
        ("512mb", 2**29),
        ("100", 100),
        ("0", None),
        ("", None),
        ("8 cores", None),
        ("-1G", None),
    ],
)
def test_sizes(text, size):
    assert read_size(text) == size


def test_a_size_that_is_none(tmp_path, capsys):
    assert execute(write_book(tmp_path, {"one": ["1"]}), "--memory", "much") == 2
    assert "much is no size; write for example 8G" in capsys.readouterr().err


def test_memory_is_held_up_to_its_bound_and_in_turn():
    began: list[int] = []
    together: list[float] = []

    async def use(memory, size):
        async with memory.hold(size) as share:
            began.append(size)
            together.append(memory.bound - memory.free)
            await asyncio.sleep(0.01)
            assert share.covers(min(size, 10))

    async def use_all():
        memory = Memory(10)
        await asyncio.gather(*(use(memory, size) for size in (4, 6, 20, 1, 5, 5)))
        return memory.free

    assert asyncio.run(use_all()) == 10
    assert began == [4, 6, 20, 1, 5, 5]  # the large one is not passed by the small
    assert max(together) == 10


def test_a_share_grows_while_memory_is_free():
    async def grow():
        memory = Memory(10)
        async with memory.hold(4) as first, memory.hold(3) as second:
            assert first.covers(7)
            assert memory.free == 0
            assert not second.covers(4)
            assert second.is_short
            assert not second.covers(11)
            assert not second.is_short  # nor would it have enough alone
        return memory.free

    assert asyncio.run(grow()) == 10


def test_a_unit_is_thought_to_need_what_it_needed(tmp_path):
    units = find_units(load_book(write_book(tmp_path, {name: ["1"] for name in "ab"})))
    measures = Measures(tmp_path / "measures.json")
    measures.keep(units[0], Cost(1, 1000))

    assert [measures.memory(unit) for unit in units] == [1100, 2 * 2**30]


#: Takes half a gigabyte, and waits until that may have been noticed.
TAKING = "taken = bytearray(2**29)\nfor place in range(0, 2**29, 4096): taken[place] = 1\ntime.sleep(2)"


def test_a_run_that_outgrows_its_memory_has_it_all_later(tmp_path, capsys):
    root = write_book(tmp_path, {"a": [TAKING], "b": [TAKING]})
    measures = Measures.of(load_book(root))
    for unit in find_units(load_book(root)):
        measures.keep(unit, Cost(1, 2**27))

    assert execute(root, "-j", "2", "--memory", "900M") == 0

    again = capsys.readouterr().err.count("more memory than is free beside the others and runs again")
    assert again in (1, 2)  # the second may be refused while the first is being ended
    assert set(words(root).values()) == {"fresh"}
    kept = json.loads((root / "_build/execution/measures.json").read_text())
    assert all(cost["memory"] > 2**29 for cost in kept.values())
    assert len(pids(root)) == 2 + again
    assert not any(map(is_running, pids(root)))


def test_a_run_that_needs_more_memory_than_there_is_fails(tmp_path, capsys):
    root = write_book(tmp_path, {"a": [TAKING], "b": ["1"]})

    assert execute(root, "--memory", "400M") == 1

    said = capsys.readouterr()
    assert "a.md:8: X014 Cell 2 took more memory than it may: the kernel held 0." in said.err
    assert "1 run, 0 fresh already, 1 failed." in said.out
    assert words(root) == {"a": "missing", "b": "fresh"}
    assert not any(map(is_running, pids(root)))


# Runs


def test_short_runs_know_it(tmp_path):
    path = tmp_path / "told"
    root = write_book(tmp_path, {"a": [f"open({str(path)!r}, 'a').write(repr(os.environ['D2L_SMOKE']))"]})
    assert execute(root, "--smoke") == 0
    assert path.read_text() == repr("1")
    assert execute(root) == 0
    assert path.read_text() == repr("1") + repr("")


def test_runs_begin_with_the_longest(tmp_path):
    path = tmp_path / "order"
    root = write_book(tmp_path, {name: [f"open({str(path)!r}, 'a').write({name!r})"] for name in "abcd"})
    measures = Measures.of(load_book(root))
    for unit, seconds in zip(find_units(load_book(root)), (1, 3, 2), strict=False):
        measures.keep(unit, Cost(seconds, 0))

    assert execute(root) == 0

    assert path.read_text() == "dbca"


def test_what_another_polybook_ran_meanwhile_does_not_run_again(tmp_path, monkeypatch, capsys):
    root = write_book(tmp_path, {"a": ["1"], "b": ["1"]})
    lock = Store.lock

    def come_late(store):
        monkeypatch.setattr(Store, "lock", lock)
        assert execute(root, "a") == 0
        capsys.readouterr()
        return lock(store)

    monkeypatch.setattr(Store, "lock", come_late)

    assert execute(root) == 0

    assert capsys.readouterr().out == "1 run, 1 fresh already, 0 failed.\n"
    assert len(pids(root)) == 2


#: Runs polybook, then says what it took; what a parent could read counts its own memory, too.
MEASURED = """
import os, re, sys
from polybook.cli import main
code = main(sys.argv[1:])
held = re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1]
print("\\n", sum(os.times()[:2]), held)
sys.exit(code)
"""


def resources(root: Path, *options: str) -> tuple[float, float]:
    """Return the seconds of the processor that a polybook takes itself, and the megabytes that it holds."""
    command = [sys.executable, "-c", MEASURED, "execute", "--book", str(root), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, held = done.stdout.split()[-2:]
    return float(seconds), int(held) / 1024


def test_polybook_itself_needs_little(tmp_path):
    root = write_book(tmp_path, {name: ["print('word ' * 100_000)"] for name in "abcd"})
    assert resources(root, "-j", "2")[1] < 300

    seconds, megabytes = resources(root)  # nothing has to run

    assert seconds < 2
    assert megabytes < 100


@pytest.mark.parametrize("seconds", ["nan", "0", "-5", "long", ""])
def test_what_is_no_time(tmp_path, seconds, capsys):
    assert execute(write_book(tmp_path, {"one": ["1"]}), f"--timeout={seconds}") == 2
    assert "is no time in seconds; write for example 600" in capsys.readouterr().err


def test_a_cell_may_run_for_ever(tmp_path):
    assert execute(write_book(tmp_path, {"one": ["1"]}), "--timeout", "inf") == 0


def test_chapters_run_side_by_side(tmp_path, monkeypatch, capsys):
    waiting = "\n".join(
        (
            "pathlib.Path('{root}', '{own}').touch()",
            "while not pathlib.Path('{root}', '{other}').exists(): time.sleep(0.01)",
            "print(os.environ['CUDA_VISIBLE_DEVICES'] or 'hidden', len(os.sched_getaffinity(0)))",
        )
    )
    dying = f"flag = pathlib.Path('{tmp_path}', 'died')\n"
    dying += "if not flag.exists(): flag.touch(); os._exit(1)\nprint('lives')"
    chapters = {
        "one": [waiting.format(root=tmp_path, own="1", other="2")],
        "two": [SEEING, waiting.format(root=tmp_path, own="2", other="1")],
        "dying": [dying],
        "failing": ["1 / 0"],
    }
    root = write_book(tmp_path, chapters, "{two: {gpu: true}}")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7,8")

    assert execute(root, "-j", "2", "--timeout", "60") == 1

    said = capsys.readouterr()
    assert said.out.endswith("3 run, 0 fresh already, 1 failed.\n")
    assert "ZeroDivisionError" in said.err
    assert "Running: pytorch/dying: its kernel died and gets a second try" in said.err
    assert "nothing left" in said.err
    share = max(len(os.sched_getaffinity(0)) // 2, 1)
    assert text(root, "one") == f"hidden {share}\n"
    assert text(root, "two") == f"7 {share}\n"
    assert text(root, "dying") == "lives\n"
    assert words(root)["failing"] == "missing"
    kept = json.loads((root / "_build/execution/measures.json").read_text())
    assert set(kept) == {"pytorch/one", "pytorch/two", "pytorch/dying"}
    assert all(cost["memory"] > 10 * 2**20 for cost in kept.values())
    assert not any(map(is_running, pids(root)))


def test_kernels_are_as_many_as_chapters_with_code_times_frameworks(tmp_path, capsys):
    """Not times languages; and none for prose."""
    names = ("a", "b")
    root = write_book(tmp_path, {name: ["print(1)"] for name in names})
    config = "{languages: {en: ., pt: pt, zh: zh, fr: fr}, frameworks: [pytorch, tensorflow, jax, mxnet]}"
    (root / "_config.yml").write_text(f"polybook: {config}\n")
    (root / "_toc.yml").write_text("format: jb-book\nroot: prose\nchapters: [{file: a}, {file: b}]\n")
    (root / "prose.md").write_text("# No code\n")
    for name in names:
        (root / f"{name}.md").write_text((root / f"{name}.md").read_text().replace("}\n", "}\n#@tab all\n"))
        for language in ("pt", "zh", "fr"):
            (root / language).mkdir(exist_ok=True)
            shutil.copy(root / f"{name}.md", root / language)
    for name, distribution in (("tensorflow", "tensorflow-cpu"), ("jax", "jax"), ("mxnet", "mxnet")):
        (root / ".venvs" / name).symlink_to(sys.prefix)
        metadata = root / f"{distribution.replace('-', '_')}-1.0.dist-info/METADATA"
        metadata.parent.mkdir()
        metadata.write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")

    assert execute(root, "-j", "2") == 0

    assert "8 run, 0 fresh already, 0 failed." in capsys.readouterr().out
    assert len(set(pids(root))) == len(names) * 4
    for path in root.rglob("*.md"):
        path.write_text(path.read_text() + "\nMore prose.\n")
    assert execute(root) == 0
    assert "0 run, 8 fresh already, 0 failed." in capsys.readouterr().out
    assert len(pids(root)) == len(names) * 4


def test_without_a_gpu_a_chapter_that_needs_one_does_not_run(tmp_path, monkeypatch, capsys):
    root = write_book(tmp_path, {"one": ["1"]}, "{one: {gpu: true}}")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")

    assert execute(root) == 1

    said = capsys.readouterr()
    assert "one.md:3: X008 `pytorch/one` needs a GPU" in said.err
    assert "0 run, 0 fresh already, 1 failed." in said.out


def test_a_framework_that_sees_no_gpu_stores_nothing(tmp_path, monkeypatch, capsys):
    root = write_book(
        tmp_path, {"blind": ["1"], "seeing": [SEEING]}, "{blind: {gpu: true}, seeing: {gpu: true}}"
    )
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")

    assert execute(root) == 1

    said = capsys.readouterr()
    assert (
        f"blind.md:3: X008 `pytorch/blind` needs a GPU, and the framework in {root}/.venvs/pytorch"
        in said.err
    )
    assert words(root) == {"blind": "missing", "seeing": "fresh"}
    assert execute(root, "--smoke") == 0


def test_a_result_of_a_processor_is_stale_once_a_gpu_is_needed(tmp_path, monkeypatch, capsys):
    root = write_book(tmp_path, {"a": [SEEING.replace("True", "bool(os.environ['CUDA_VISIBLE_DEVICES'])")]})
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    assert execute(root) == 0
    config = root / "_config.yml"
    config.write_text(config.read_text().replace("chapters: {}", "chapters: {a: {gpu: true}}"))
    capsys.readouterr()

    assert main(["status", "--explain", "--book", str(root)]) == 0
    said = capsys.readouterr().out
    assert said == "stale    pytorch     a: It needs a GPU now; its result is from a processor.\n"
    assert execute(root) == 0
    assert words(root) == {"a": "fresh"}
    assert json.loads((root / "outputs/pytorch/a.json").read_text())["provenance"]["device"] == "H"
    config.write_text(config.read_text().replace("true", "false"))
    assert words(root) == {"a": "fresh"}  # whoever has no GPU need not run it again


@pytest.mark.parametrize("pinned", ["1.0", "1.0+cpu", "2.0"])
def test_the_version_is_the_pinned_one(tmp_path, pinned, capsys):
    root = write_book(tmp_path, {"one": ["1"]})
    (root / "requirements").mkdir()
    (root / "requirements/pytorch.txt").write_text(f"torch=={pinned}\n")
    metadata = root / "torch-1.0.dist-info/METADATA"
    metadata.write_text(metadata.read_text().replace("1.0", "1.0+cu126"))
    if pinned != "2.0":
        assert execute(root) == 0
        assert words(root) == {"one": "fresh"}
        return

    assert execute(root) == 1

    said = capsys.readouterr()
    assert (
        "/.venvs/pytorch: X004 The environment for PyTorch has torch 1.0+cu126; 2.0 is pinned. " in said.err
    )
    assert "Install torch==2.0 there, or pin what it has in `requirements/`." in said.err
    assert "0 run, 0 fresh already, 1 failed." in said.out
    assert not pids(root)


def test_every_run_begins_in_an_empty_folder(tmp_path):
    looking = "print(os.listdir('.'))\nopen('left.txt', 'w')"
    root = write_book(tmp_path, {"a": [looking]})
    for _ in range(2):
        assert execute(root, "--force") == 0
        assert text(root, "a") == "[]\n"


def test_short_runs_beside_each_other_share_no_folder(tmp_path):
    meeting = (
        "open('left.txt', 'w')\n"
        "while len(open(pathlib.Path({0!r}, 'pids')).read().split()) < 2: time.sleep(0.01)\n"
        "print(os.getcwd(), file=open(pathlib.Path({0!r}, 'folders'), 'a'))"
    )
    root = write_book(tmp_path, {"a": ["assert not os.listdir('.')", meeting.format(str(tmp_path))]})
    both = [start(root, "--smoke") for _ in range(2)]

    assert [process.communicate(timeout=30) and process.returncode for process in both] == [0, 0]

    folders = (root / "folders").read_text().split()
    assert len(set(folders)) == 2
    assert not any(Path(folder).exists() for folder in folders)


@pytest.mark.parametrize("jobs", ["0", "-1"])
def test_a_wrong_number_of_jobs(tmp_path, jobs, capsys):
    assert execute(write_book(tmp_path, {"one": ["1"]}), "-j", jobs) == 2
    assert "is no number of jobs" in capsys.readouterr().err


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_polybook_stops_its_kernels_and_keeps_what_is_finished(tmp_path, sent, capsys):
    go = tmp_path / "go"
    waiting = f"while not pathlib.Path({str(go)!r}).exists(): time.sleep(0.01)"
    root = write_book(tmp_path, {"quick": ["1"], "slow": [waiting]})
    process = start(root, "-j", "2")
    wait_until(lambda: (root / "outputs/pytorch/quick.json").exists() and len(pids(root)) == 2)

    process.send_signal(sent)
    _, errors = process.communicate(timeout=20)

    assert process.returncode == 130
    assert "stopped; what was finished is kept" in errors
    assert words(root) == {"quick": "fresh", "slow": "missing"}
    assert not any(map(is_running, pids(root)))
    go.touch()
    assert_the_rest_is_run(root, capsys)


def test_a_rerun_that_differs_is_stored_only_when_accepted(tmp_path, capsys):
    source = tmp_path / "weather"
    root = write_book(tmp_path, {"a": [f"print('loss', open({str(source)!r}).read())"]})
    source.write_text("1.00")
    assert execute(root) == 0
    source.write_text("1.02")
    assert execute(root, "--force") == 0
    assert text(root, "a") == "loss 1.00\n"
    source.write_text("2.00")
    capsys.readouterr()

    assert execute(root, "--force") == 1

    errors = capsys.readouterr().err
    assert "a.md:8: X013 Cell 2 in pytorch gave another result than the stored one: " in errors
    assert "`loss 1.00` became `loss 2.00`. Look why; `--accept` stores it." in errors
    assert "\n--- cell 2 in pytorch, as stored\n+++ cell 2 in pytorch, now\n@@" in errors
    assert "\n-loss 1.00\n+loss 2.00\n" in errors
    assert text(root, "a") == "loss 1.00\n"
    assert execute(root, "--force", "--accept") == 0
    assert text(root, "a") == "loss 2.00\n"


def test_what_differed_is_accepted_without_another_run(tmp_path, capsys):
    source = tmp_path / "weather"
    root = write_book(tmp_path, {"a": [f"print('loss', open({str(source)!r}).read())"], "b": ["1"]})
    source.write_text("1.00")
    assert execute(root) == 0

    def differ(value: str) -> None:
        source.write_text(value)
        execute(root, "--force")
        capsys.readouterr()

    differ("2.00")
    runs = len(pids(root))

    assert execute(root, "--accept") == 0

    assert capsys.readouterr().out == "0 run, 2 fresh already, 0 failed. 1 accepted.\n"
    assert text(root, "a") == "loss 2.00\n"
    assert len(pids(root)) == runs
    assert execute(root, "--accept") == 2
    assert "B007 `--accept` has nothing to store. `--force` runs what is" in capsys.readouterr().err
    differ("3.00")
    differ("2.00")  # the last run gave what is stored
    assert execute(root, "--accept") == 2
    differ("4.00")
    chapter = root / "a.md"
    chapter.write_text(chapter.read_text().replace("'loss'", "'cost'"))
    assert execute(root, "--accept") == 0  # runs what is new and leaves alone what came of old code
    assert capsys.readouterr().out.endswith("1 run, 1 fresh already, 0 failed. 0 accepted.\n")
    assert text(root, "a") == "cost 4.00\n"


def test_a_result_without_its_data_file_is_stale_once_the_file_is_there(tmp_path, monkeypatch, capsys):
    data = tmp_path / "data"
    data.mkdir()
    monkeypatch.setenv("D2L_DATA", str(data))
    path = str(data / "tale.txt")
    reading = f"tale = pathlib.Path({path!r})\nprint(tale.read_text() if tale.exists() else 'none')"
    root = write_book(tmp_path, {"a": [reading], "b": ["1"]})
    assert execute(root) == 0
    assert execute(root) == 0
    assert "0 run, 2 fresh" in capsys.readouterr().out
    (data / "tale.txt").write_text("Once")

    assert main(["status", "--explain", "--book", str(root)]) == 0

    assert "stale    pytorch     a: Data file `tale.txt` is there now." in capsys.readouterr().out
    assert execute(root) == 0
    assert text(root, "a") == "Once\n"
    (data / "tale.txt").unlink()  # another machine need not have it
    assert words(root) == {"a": "fresh", "b": "fresh"}


def test_bounds_are_looked_at_after_a_run_and_whenever_asked(tmp_path, capsys):
    curves = '{"curves": [{"name": "ppl", "x": [1], "y": [9.5]}]}'
    code = f"display({{'application/vnd.d2l.curves+json': {curves}}}, raw=True)"
    root = write_book(tmp_path, {"a": [code]}, "{a: {expect: {ppl: '< 9'}}}")
    finding = "a.md:8: X010 `ppl` ends at 9.5 in pytorch; `expect` says < 9."

    for run in ("1 run, 0 fresh", "0 run, 1 fresh"):
        assert execute(root) == 1
        said = capsys.readouterr()
        assert said.err.count(finding) == 1
        assert run in said.out

    assert main(["check", "--book", str(root)]) == 0
    assert finding not in capsys.readouterr().err
    assert main(["check", "--outputs", "--book", str(root)]) == 1
    assert finding in capsys.readouterr().err


def test_a_training_leaves_a_plot_in_every_run(tmp_path, capsys):
    curves = '{"curves": [{"name": "ppl", "x": [1], "y": [9.5]}]}'
    drawing = f"def fit(): display({{'application/vnd.d2l.curves+json': {curves}}}, raw=True)\nfit()"
    root = write_book(tmp_path, {"a": [drawing, "def fit(): pass", "fit()"]})
    config = root / "_config.yml"
    config.write_text(config.read_text().replace("{languages", "{trains: [fit], languages"))

    for command in (["execute", "--smoke"], ["execute"], ["execute"], ["check", "--outputs"]):
        assert main([*command, "--book", str(root)]) == 1
        assert re.findall(r"a\.md:(\d+): X016", capsys.readouterr().err) == ["17"]


# The library

SAVING = "```{{.python .input}}\ndef f():  #@save\n    return {}\n```\n"
USING = "from d2l import torch as d2l\nd2l.f()"


@pytest.fixture
def library_book(tmp_path):
    """A book whose first chapter saves what the second prints."""
    root = write_book(tmp_path, {"saving": [], "using": [USING]})
    config = root / "_config.yml"
    config.write_text(config.read_text().replace("{languages", "{library: {module: d2l}, languages"))
    (root / "saving.md").write_text("# saving\n\n" + SAVING.format(1))
    assert main(["library", "--book", str(root)]) == 0
    return root


@pytest.mark.parametrize("options", [(), ("--smoke",), ("--dask", "tcp://127.0.0.1:9")])
def test_nothing_runs_with_an_old_library(library_book, options, capsys):
    (library_book / "saving.md").write_text("# saving\n\n" + SAVING.format(2))
    capsys.readouterr()

    assert execute(library_book, *options) == 1

    said = capsys.readouterr()
    late = "The library is not what the chapters say. Run `polybook library`."
    assert said.err == f"d2l/torch.py: L004 {late}\n"
    assert said.out == "0 run, 0 fresh already, 2 failed.\n"
    assert not pids(library_book)


def test_results_are_those_of_the_library_that_the_chapters_save(library_book, capsys):
    for number in (1, 2):
        (library_book / "saving.md").write_text("# saving\n\n" + SAVING.format(number))
        assert main(["library", "--book", str(library_book)]) == 0
        assert execute(library_book) == 0
        assert f'"{number}"' in (library_book / "outputs/pytorch/using.json").read_text()
    (library_book / "d2l/torch.py").write_text("")

    assert execute(library_book) == 0  # nothing waits, so nothing needs it

    assert "0 run, 2 fresh already" in capsys.readouterr().out


def test_a_library_that_changes_during_a_run_spoils_it(library_book, capsys):
    path = str(library_book / "d2l/torch.py")
    write_book(library_book, {"saving": [], "using": [f"open({path!r}, 'a').write('# late')"]})
    config = library_book / "_config.yml"
    config.write_text(config.read_text().replace("{languages", "{library: {module: d2l}, languages"))
    (library_book / "saving.md").write_text("# saving\n\n" + SAVING.format(1))

    assert execute(library_book, "using") == 1

    assert "d2l/torch.py: L004 The library changed while `pytorch/using` ran" in capsys.readouterr().err
    assert words(library_book)["using"] == "missing"


# Faults


@pytest.mark.parametrize("left", [".saving-x/0", ".lock"])
def test_what_a_killed_polybook_left_goes_though_nothing_has_to_run(tmp_path, left, capsys):
    root = write_book(tmp_path, {"a": ["1"]})
    assert execute(root) == 0
    path = root / "outputs" / left
    path.parent.mkdir(exist_ok=True)
    path.touch()
    assert execute(root, "--smoke") == 0
    assert path.exists()  # who stores nothing has no business there

    assert execute(root) == 0

    assert "0 run, 1 fresh already" in capsys.readouterr().out
    assert files_in_store(root) == files_of_records(root)


def test_what_another_polybook_is_storing_stays(tmp_path, capsys):
    root = write_book(tmp_path, {"a": ["1"]})
    assert execute(root) == 0
    (root / "outputs/.saving-x").mkdir()

    with Store(root / "outputs").lock():
        assert execute(root) == 0
        assert (root / "outputs/.saving-x").exists()
        assert (root / "outputs/.lock").exists()


#: How often each of three faults is tried, at random moments.
ROUNDS = int(os.environ.get("POLYBOOK_ROUNDS", "17"))
#: Draws two plots, slowly enough to be caught at it.
DRAWING = """
from IPython.display import SVG, display
for part in range(2):
    display(SVG(f'<svg xmlns="http://www.w3.org/2000/svg"><text>{0} {{part}}</text></svg>'))
    time.sleep(0.1)
"""
NAMES = ("a", "b", "c")


def files_of_records(root: Path) -> set[str]:
    """Return the names of the files that the stored records consist of."""
    records = (find_state(unit)[0].results.record for unit in find_units(load_book(root)))
    return {f"pytorch/{name}" for record in records if record for name in to_files(record)}


def files_in_store(root: Path) -> set[str]:
    return {path.relative_to(root / "outputs").as_posix() for path in (root / "outputs").rglob("*.*")}


def assert_the_rest_is_run(root: Path, capsys) -> None:
    """Run again and look whether that runs what is missing, no more, and leaves all in order."""
    before = words(root)
    missing = sum(word != "fresh" for word in before.values())
    capsys.readouterr()

    assert execute(root, "-j", "2") == 0

    assert f"{missing} run, {len(before) - missing} fresh already, 0 failed." in capsys.readouterr().out
    assert set(words(root).values()) == {"fresh"}
    assert files_in_store(root) == files_of_records(root)
    assert not any(map(is_running, pids(root)))


def children(process: subprocess.Popen[str]) -> list[int]:
    try:
        return [
            int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        ]
    except FileNotFoundError:
        return []


def rounds(root: Path):
    """Yield a run of a book whose code has changed, at a random moment of it."""

    def saving() -> list[Path]:
        return list((root / "outputs").glob(".saving-*"))

    random = Random(ROUNDS)  # noqa: S311
    for number in range(ROUNDS):
        write_book(root, {name: [DRAWING.format(f"{name} {number}")] for name in NAMES})
        process = start(root, "-j", "2")
        if number % 2:  # caught while it stores
            wait_until(lambda: saving() or process.poll() is not None)  # noqa: B023
        else:
            time.sleep(random.uniform(0.5, 3))
        yield process


@pytest.mark.slow
def test_killing_polybook_loses_nothing(tmp_path, capsys):
    for process in rounds(tmp_path):
        process.kill()
        process.communicate(timeout=20)

        wait_until(lambda: not any(map(is_running, pids(tmp_path))), 5)
        assert_the_rest_is_run(tmp_path, capsys)


@pytest.mark.slow
def test_asking_polybook_to_end_loses_nothing(tmp_path, capsys):
    for number, process in enumerate(rounds(tmp_path)):
        process.send_signal((signal.SIGINT, signal.SIGTERM)[number // 2 % 2])
        process.communicate(timeout=30)  # whatever it was at, it ends

        assert not any(map(is_running, pids(tmp_path)))
        assert_the_rest_is_run(tmp_path, capsys)


@pytest.mark.slow
def test_killing_a_kernel_loses_nothing(tmp_path, capsys):
    for process in rounds(tmp_path):
        wait_until(lambda process=process: children(process) or process.poll() is not None)
        for pid in children(process)[:1]:
            os.kill(pid, signal.SIGKILL)
        _, errors = process.communicate(timeout=60)

        assert process.returncode == 0, errors
        assert_the_rest_is_run(tmp_path, capsys)


def test_a_full_disk_keeps_what_was_stored(tmp_path, capsys, monkeypatch):
    root = write_book(tmp_path, {"a": [DRAWING.format(1)], "b": ["print(1)"]})
    assert execute(root, "-j", "2") == 0
    stored = text(root, "b")
    write_book(root, {"a": [DRAWING.format(2)], "b": ["print(2)"]})

    def fail(path, content):
        path.write_bytes(content[:10])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("polybook.store._write_through", fail)
        assert execute(root, "-j", "2") == 1

    errors = capsys.readouterr().err
    assert "outputs/pytorch/b.json: B009 The result of a run could not be stored: No space left" in errors
    assert words(root) == {"a": "stale", "b": "stale"}
    assert text(root, "b") == stored
    assert_the_rest_is_run(root, capsys)


@pytest.fixture
def small_disk(tmp_path):
    """Mount a disk of 256 kB, where that is allowed."""
    folder = tmp_path / "disk"
    folder.mkdir()
    call = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(call, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("no disk can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_really_full(small_disk, capsys):
    code = "print('{0} ' * 20_000)"
    root = write_book(small_disk, {"a": ["print(1)"], "b": [code.format(1)]})
    assert execute(root, "-j", "2") == 0
    write_book(root, {"a": ["print(1)"], "b": [code.format(2)]})
    filling = root / "filling"
    with suppress(OSError), filling.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1024))

    assert execute(root) == 1

    assert "outputs/pytorch/b.json: B009 The result of a run could not" in capsys.readouterr().err
    assert words(root) == {"a": "fresh", "b": "stale"}
    filling.unlink()
    assert_the_rest_is_run(root, capsys)


def test_two_at_once(tmp_path, capsys):
    go = tmp_path / "go"
    waiting = f"while not pathlib.Path({str(go)!r}).exists(): time.sleep(0.01)"
    root = write_book(tmp_path, {"a": [waiting], "b": ["print(1)"]})
    first = start(root)
    wait_until(lambda: pids(root))

    assert execute(root) == 1

    assert f"outputs: X009 Another polybook (process {first.pid} on " in capsys.readouterr().err
    go.touch()
    first.communicate(timeout=30)
    assert first.returncode == 0
    assert len(pids(root)) == 2
    assert_the_rest_is_run(root, capsys)
