"""Running on a Dask cluster: a real scheduler and two real workers, in folders of their own."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
import time
import venv
from pathlib import Path
from types import SimpleNamespace

import pytest

from polybook import cli
from polybook.cli import main
from polybook.pipeline.book import load_book
from polybook.pipeline.units import find_state, find_units

pytest.importorskip("distributed")
from polybook.pipeline.cluster import _offers
from polybook.pipeline.parcels import Parcel, data_files, run_parcel

CELL = "```{{.python .input}}\n{}\n```\n"
CONFIG = """
polybook:
  languages: {en: .}
  frameworks: [pytorch]
  library: {module: d2l}
  chapters: {gpu: {gpu: true}}
"""
#: Says that it runs, and waits for a sign.
WAITING = """
import os, pathlib, time
with open({pids!r}, 'a') as file: file.write(f'{{os.getpid()}}\\n')
while not pathlib.Path({go!r}).exists(): time.sleep(0.05)
"""
SAVED = """
import os, pathlib
def load():  #@save
    return pathlib.Path(os.environ['D2L_DATA'], 'tale.txt').read_text()
"""
USING = "from d2l import torch as d2l\nprint(d2l.load(), {name!r})"
SHOWING = """
import os, sys, types
cuda = types.SimpleNamespace(is_available=lambda: True, get_device_name=lambda: 'H')
sys.modules['torch'] = types.SimpleNamespace(cuda=cuda)
print(os.environ['CUDA_VISIBLE_DEVICES'])
"""


@pytest.fixture
def book(tmp_path):
    """A book whose chapters wait for a sign and use a library and a data file."""
    root = tmp_path / "book"
    root.mkdir()
    waiting = WAITING.format(pids=str(tmp_path / "pids"), go=str(tmp_path / "go"))
    chapters = {name: [waiting, USING.format(name=name)] for name in "abcd"}
    chapters = {"saved": [SAVED], **chapters, "gpu": [SHOWING]}
    (root / "_config.yml").write_text(CONFIG)
    files = "".join(f"\n- file: {name}" for name in list(chapters)[1:])
    (root / "_toc.yml").write_text(f"format: jb-book\nroot: saved\nchapters:{files}\n")
    for name, codes in chapters.items():
        (root / f"{name}.md").write_text(f"# {name}\n\n" + "\n".join(map(CELL.format, codes)))
    assert main(["library", "--book", str(root)]) == 0
    (tmp_path / "data").mkdir()
    (tmp_path / "data/tale.txt").write_text("Once")
    return root


@pytest.fixture
def cluster(tmp_path):
    """Two workers that have an environment for PyTorch, one of them with a GPU, and nothing of the book."""
    folder = tmp_path / "workers"
    environment = folder / ".venvs/pytorch"
    venv.create(environment, with_pip=False)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(environment)}))
    (packages / "engine.pth").write_text(sysconfig.get_path("purelib"))
    (packages / "torch-1.0.dist-info").mkdir()
    (packages / "torch-1.0.dist-info/METADATA").write_text(
        "Metadata-Version: 2.1\nName: torch\nVersion: 1.0\n"
    )
    file = folder / "scheduler.json"
    processes = [
        start_dask(folder, "scheduler", "--scheduler-file", file, "--host", "127.0.0.1", "--port", "0")
    ]
    wait_until(file.exists)
    for resources in ("MEMORY=3e9 GPU=1", "MEMORY=3e9"):
        worker = ("--no-nanny", "--nthreads", "1", "--resources", resources, "--local-directory", folder)
        processes.append(start_dask(folder, "worker", "--scheduler-file", file, *worker))
    yield SimpleNamespace(address=json.loads(file.read_text())["address"], workers=processes[1:])
    for process in processes:
        process.kill()
        process.wait()


def start_dask(folder: Path, role: str, *options: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "dask", role, "--no-dashboard", *map(str, options)]
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "7"}
    environment.pop("D2L_DATA", None)
    with (folder / f"{role}.log").open("ab") as log:
        return subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)


def start(book: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "polybook", "execute", "--book", str(book), *options]
    environment = {**os.environ, "D2L_DATA": str(book.parent / "data")}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, text=True)


def pids(book: Path) -> list[int]:
    path = book.parent / "pids"
    return [int(pid) for pid in path.read_text().split()] if path.exists() else []


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(condition, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.05)


def records(book: Path):
    states = [find_state(unit)[0] for unit in find_units(load_book(book))]
    return {state.unit.chapter.name: state.results.record for state in states if state.word == "fresh"}


def text(record) -> str:
    return "".join(output["text"] for cell in record.cells for output in cell.outputs)


@pytest.mark.slow
def test_a_lost_worker_loses_and_doubles_nothing(book, cluster):
    process = start(book, "--dask", cluster.address)
    wait_until(lambda: len(pids(book)) == 2)
    cluster.workers[1].send_signal(signal.SIGKILL)
    wait_until(lambda: sum(map(is_running, pids(book))) == 1)
    (book.parent / "go").touch()
    out, errors = process.communicate(timeout=120)

    assert out == "6 run, 0 fresh already, 0 failed.\n", errors
    assert len(pids(book)) == 5  # the run that was lost, and four
    assert not any(map(is_running, pids(book)))
    stored = records(book)
    assert {name: text(stored[name]) for name in "abcd"} == {name: f"Once {name}\n" for name in "abcd"}
    assert text(stored["gpu"]) == "7\n"
    assert stored["a"].provenance.data == {"tale.txt": hashlib.sha1(b"Once").hexdigest()}  # noqa: S324
    assert stored["a"].provenance.version == "1.0"
    assert errors.count("finished after") == 6
    assert re.findall(r"gpu begins on (GPU 7 of tcp://127)", errors) == ["GPU 7 of tcp://127"]
    measures = json.loads((book / "_build/execution/measures.json").read_text())
    assert all(cost["memory"] > 10 * 2**20 for cost in measures.values())
    assert start(book, "--dask", cluster.address).communicate(timeout=60)[0].startswith("0 run, 6 fresh")


@pytest.mark.slow
def test_a_killed_polybook_leaves_nothing_running_on_the_workers(book, cluster):
    process = start(book, "--dask", cluster.address)
    wait_until(lambda: len(pids(book)) == 2)
    process.kill()
    process.communicate()

    wait_until(lambda: not any(map(is_running, pids(book))), 30)
    (book.parent / "go").touch()
    missing = 6 - len(records(book))
    out, errors = start(book, "--dask", cluster.address).communicate(timeout=120)
    assert out == f"{missing} run, {6 - missing} fresh already, 0 failed.\n", errors
    assert len(pids(book)) == 6


@pytest.mark.slow
def test_failures_come_back(book, cluster):
    (book / "a.md").write_text("# a\n\n" + CELL.format("1 / 0"))
    (book / "b.md").write_text("# b\n\n" + CELL.format("import os\nos._exit(3)"))
    cluster.workers[0].terminate()  # the one with the GPU
    cluster.workers[0].wait(timeout=30)
    out, errors = start(book, "a", "b", "gpu", "--dask", cluster.address).communicate(timeout=120)

    assert out == "0 run, 0 fresh already, 3 failed.\n"
    assert "a.md:3: X001 Cell 1 raised ZeroDivisionError" in errors
    assert "b.md:3: X002 The kernel died while it ran cell 1 (exit status 3)." in errors
    assert errors.count("pytorch/b: its kernel died and gets a second try") == 1
    assert "gpu.md:3: X008 `pytorch/gpu` needs a GPU" in errors


def test_a_cluster_that_is_not_there(book, monkeypatch, capsys):
    monkeypatch.setattr("polybook.pipeline.cluster._PATIENCE", 1)

    assert main(["execute", "--book", str(book), "--dask", "tcp://127.0.0.1:9"]) == 1

    assert "polybook: X015 No Dask scheduler answers at tcp://127.0.0.1:9: " in capsys.readouterr().err


@pytest.mark.parametrize(
    "address", ["foo", "tcp://127.0.0.1", "http://127.0.0.1:80", "tcp://:1", "tcp://a:0", "tcp://a:70000", ""]
)
def test_what_is_no_address(book, address, capsys):
    assert main(["execute", "--book", str(book), "--dask", address]) == 2

    assert "is no address of a scheduler; write for example tcp://10.0.0.1:8786" in capsys.readouterr().err


@pytest.mark.parametrize("address", ["tcp://a.b-c:8786", "tls://[::1]:8786"])
def test_what_is_an_address(address):
    assert cli._scheduler(address) == address


def test_a_cluster_without_workers(book, tmp_path, monkeypatch, capsys):
    """Its scheduler answers, and nobody would ever run anything."""
    monkeypatch.setattr("polybook.pipeline.cluster._WORKER_PATIENCE", 1)
    monkeypatch.setattr("polybook.pipeline.cluster._LOOK", 0.2)
    file = tmp_path / "scheduler.json"
    process = start_dask(
        tmp_path, "scheduler", "--scheduler-file", file, "--host", "127.0.0.1", "--port", "0"
    )
    try:
        wait_until(file.exists)
        address = json.loads(file.read_text())["address"]
        assert main(["execute", "--book", str(book), "a", "gpu", "--dask", address]) == 1
    finally:
        process.kill()
        process.wait()

    said = capsys.readouterr()
    assert said.err.count("the cluster has no worker for it yet, which is waited for 1 s") == 1
    for name in ("a", "gpu"):
        assert f"{name}.md:3: X015 The Dask cluster has no worker for `pytorch/{name}`. Start" in said.err
    assert said.out == "0 run, 0 fresh already, 2 failed.\n"


def test_a_worker_offers_what_it_declares():
    assert _offers({}, {})
    assert _offers({"GPU": 1, "MEMORY": 3e9}, {"GPU": 1.0})
    assert not _offers({"MEMORY": 3e9}, {"GPU": 1.0, "MEMORY": 1e9})
    assert not _offers({"MEMORY": 3e9}, {"MEMORY": 4e9})


@pytest.mark.parametrize("option", ["--jobs=2", "--memory=8G"])
def test_what_a_cluster_decides_itself(book, option, capsys):
    assert main(["execute", "--book", str(book), "--dask", "tcp://127.0.0.1:9", option]) == 2
    assert f"`{option.partition('=')[0]}` says what this machine may do" in capsys.readouterr().err


def test_without_dask(book, monkeypatch, capsys):
    monkeypatch.setattr(cli, "find_spec", lambda name: None)

    assert main(["execute", "--book", str(book), "--dask", "tcp://127.0.0.1:9"]) == 2
    assert "Install it with `pip install 'polybook[dask]'`." in capsys.readouterr().err


def test_data_files_that_travel(book, monkeypatch):
    data = book.parent / "data"
    monkeypatch.setenv("D2L_DATA", str(data))
    monkeypatch.setattr("polybook.pipeline.units.DATA_CACHE", book.parent / "cache")
    for name in ("read.txt", "unread.txt", "../outside.txt"):
        (data / name).write_text("")
    code = "'../outside.txt', '', '.', f'unread.{1}', r'/', 'gone.txt', \"\"\"tale.txt\"\"\""
    (book / "d.md").write_text("# d\n\n" + CELL.format(code))
    units = {unit.chapter.name: unit for unit in find_units(load_book(book))}

    assert data_files(units["a"], {}) == {"tale.txt": data / "tale.txt"}  # by way of the library
    assert set(data_files(units["d"], {"read.txt": "", "lost.txt": ""})) == {"read.txt", "tale.txt"}


def test_parcels_of_another_version_are_refused():
    parcel = Parcel("key", "topic", None, None, {}, (), execution=0)

    with pytest.raises(RuntimeError, match="another version of polybook"):
        asyncio.run(run_parcel(parcel))
