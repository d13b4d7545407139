"""Running cells in real kernels; the engine's own environment stands in for a framework's."""

from __future__ import annotations

import asyncio
import hashlib
import os
import platform
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from queue import Empty
from types import SimpleNamespace

import pytest
from nbclient import NotebookClient

from polybook import execute, probe
from polybook.data import digest_data
from polybook.diagnostics import Code
from polybook.errors import ExecutionError
from polybook.execute import Setting, run
from polybook.frameworks import FRAMEWORKS, Framework
from polybook.outputs import normalise

ENGINE = Framework("engine", "Engine", "engine", "ipykernel")
ENVIRONMENT = Path(sys.prefix)
PLOTTING_ENVIRONMENT = Path(__file__).parents[2] / ".venvs/pytorch"


def settings(folder: Path, **changes) -> Setting:
    arguments = {"framework": ENGINE, "environment": ENVIRONMENT, "working_directory": folder}
    return Setting(**{**arguments, **changes})


def places(cells) -> list[tuple[str, int]]:
    return [("chapters/en/rnn.md", 10 * number) for number in range(1, len(cells) + 1)]


def run_cells(cells, setting, on_cell=None):
    return asyncio.run(run(cells, places(cells), setting, on_cell))


def finding(cells, setting):
    """Return the one finding of a run that fails."""
    with pytest.raises(ExecutionError) as caught:
        run_cells(cells, setting)
    (diagnostic,) = caught.value.diagnostics
    return diagnostic


def is_running(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def wait_for(path: Path) -> None:
    while not (path.exists() and path.read_text()):
        time.sleep(0.05)


CELLS = {
    "stream": "print('epoch 1')\nprint('epoch 2')",
    "result": "1 + 1",
    "nothing": "x = 3;",
    "empty": "",
    "display": "from IPython.display import display\nhandle = display('first', display_id=True)",
    "update": "handle.update('last')",
    "names": "sorted(name for name in globals() if 'polybook' in name or name == 'probe'), len(In)",
    "variables": "import os\nos.environ['D2L_DATA'], os.environ['PYTHONHASHSEED'], hash('a')",
    "folder": "os.getcwd()",
    "import": "import helper\nhelper.ANSWER",
    "read": "import os, pathlib\nlen(pathlib.Path(os.environ['D2L_DATA'], 'tales/time.txt').read_text())",
    "read again": "len(open('link/tales/time.txt', 'rb').read())",
    "look": "os.path.exists(os.environ['D2L_DATA'] + '/seen.txt')",
    "look in vain": "pathlib.Path(os.environ['D2L_DATA'], 'tales/lost.txt').is_file()",
    "look elsewhere": "os.path.exists('/lost.txt')",
    "look at code": "os.path.exists(os.environ['D2L_DATA'] + '/lost.py')",
    "stat": "os.stat(os.getcwd(), follow_symlinks=False) == os.lstat('.') and os.stat(0) is not None",
    "write": "open(os.environ['D2L_DATA'] + '/written.txt', 'w').write('x')",
    "fail to read": "try:\n    open(os.environ['D2L_DATA'] + '/absent.txt')\nexcept OSError:\n    pass",
    "fork": """
pid = os.fork()
if not pid:
    open(os.environ['D2L_DATA'] + '/forked.txt').read()
    os._exit(0)
os.waitpid(pid, 0)[1]
""",
    "child": "import subprocess\nchild = subprocess.Popen(['sleep', '60'])\nos.getpid(), child.pid",
    "widget": "from ipywidgets import interact\ninteract(lambda n: print(n), n=(1, 3));",
    "leave nothing": "%reset -f",
}


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """One run of many cells, with all that a test may want to know of it."""
    folder = tmp_path_factory.mktemp("session")
    data, home, work = (folder / name for name in ("data", "home", "work"))
    for made in (data / "tales", home, work):
        made.mkdir(parents=True)
    (data / "tales/time.txt").write_text("The Time Traveller")
    (data / "seen.txt").write_text("never opened")
    (data / "forked.txt").write_text("by a worker")
    (data / "helper.py").write_text("ANSWER = 42")
    (work / "link").symlink_to(data)
    calls = []
    setting = settings(
        work,
        python_path=[data],
        variables={"D2L_DATA": str(data)},
        data_roots=[data],
        cell_timeout=60,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        patch.setenv("PYTHONHASHSEED", "7")
        result = run_cells(list(CELLS.values()), setting, lambda *call: calls.append(call))
    outputs = dict(zip(CELLS, result.outputs, strict=True))
    return SimpleNamespace(result=result, outputs=outputs, calls=calls, data=data, home=home, work=work)


def value(outputs):
    """Return the value of the only result among outputs."""
    (output,) = outputs
    assert output["output_type"] == "execute_result"
    return eval(output["data"]["text/plain"])  # noqa: S307


def test_outputs_are_those_of_the_cells(session):
    assert normalise(session.outputs["stream"]) == (
        {"output_type": "stream", "name": "stdout", "text": "epoch 1\nepoch 2\n"},
    )
    assert value(session.outputs["result"]) == 2
    assert session.outputs["nothing"] == session.outputs["empty"] == ()


def test_outputs_are_plain_values(session):
    assert type(session.outputs["result"][0]) is dict
    assert type(session.outputs["result"][0]["data"]) is dict


def test_updates_reach_displays_of_earlier_cells(session):
    (output,) = session.outputs["display"]

    assert output["data"] == {"text/plain": "'last'"}
    assert session.outputs["update"] == ()


def test_a_widget_keeps_what_it_captures_and_nothing_of_it_is_kept(session):
    (shown,) = session.outputs["widget"]

    assert "application/vnd.jupyter.widget-view+json" in shown["data"]
    assert normalise(session.outputs["widget"]) == ()


def test_the_probe_leaves_no_trace(session):
    names, history = value(session.outputs["names"])

    assert names == []
    assert history == list(CELLS).index("names") + 1  # the empty cell is not sent; `In` begins with ''


def test_cells_run_where_and_with_what_the_setting_says(session):
    assert value(session.outputs["variables"])[:2] == (str(session.data), "0")
    assert value(session.outputs["folder"]) == str(session.work)
    assert value(session.outputs["import"]) == 42


def test_data_files_that_were_read_or_looked_for_are_known(session):
    assert value(session.outputs["look in vain"]) is value(session.outputs["look elsewhere"]) is False
    assert value(session.outputs["stat"])
    assert session.result.data == {
        "absent.txt": None,
        "forked.txt": hashlib.sha1(b"by a worker").hexdigest(),  # noqa: S324
        "tales/lost.txt": None,
        "tales/time.txt": hashlib.sha1(b"The Time Traveller").hexdigest(),  # noqa: S324
    }


def test_versions_and_device_are_known(session):
    assert session.result.python == platform.python_version()
    assert session.result.version == metadata.version("ipykernel")
    assert session.result.device == "cpu"


def test_progress_is_told(session):
    assert session.calls == [(number, len(CELLS)) for number in range(1, len(CELLS) + 1)]


def test_nothing_is_left_running(session):
    kernel, child = value(session.outputs["child"])

    assert not is_running(kernel)
    assert not is_running(child)


def test_the_home_folder_stays_as_it_was(session):
    assert list(session.home.iterdir()) == []


RAISING = {
    "a syntax error": ("1 + 1\n1 +", "SyntaxError: invalid syntax (line 2 of the cell)"),
    "a raised error": ("1 + 1\nraise ValueError('no such\\n  token')", "ValueError: no such token"),
    "no Python": ("def f(:", "SyntaxError: "),
    "a question": ("input('?')", "StdinNotImplementedError: "),
    "an error that the reply is silent about": (
        "def draw():\n    raise ValueError('no figure')\nget_ipython().events.register('post_execute', draw)",
        "ValueError: no figure",
    ),
    "a long message": ("raise ValueError('long ' * 100)", "ValueError: long long "),
}


@pytest.mark.parametrize(("code", "message"), RAISING.values(), ids=RAISING)
def test_a_cell_that_raises(tmp_path, code, message):
    diagnostic = finding(["print(1)", code, "open('ran', 'w')"], settings(tmp_path))

    assert diagnostic.code is Code.CELL_RAISED
    assert (diagnostic.path, diagnostic.line) == ("chapters/en/rnn.md", 20)
    assert diagnostic.what.startswith(f"Cell 2 raised {message}")
    assert "\n" not in str(diagnostic)
    assert len(str(diagnostic)) < 500
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("os._exit(3)", "exit status 3"),
        ("os.kill(os.getpid(), 9)", "killed by SIGKILL"),
        ("os.abort()", "killed by SIGABRT"),
    ],
)
def test_a_cell_that_takes_the_kernel_down(tmp_path, code, reason):
    diagnostic = finding(["import os", code], settings(tmp_path))

    assert diagnostic.code is Code.KERNEL_DIED
    assert diagnostic.line == 20
    assert diagnostic.what == f"The kernel died while it ran cell 2 ({reason})."
    assert ("memory" in diagnostic.advice) == ("SIGKILL" in reason)


def test_a_kernel_that_dies_after_its_last_cell(tmp_path):
    code = "import os, threading\nthreading.Timer(0.3, os._exit, [0]).start()"
    slow = settings(tmp_path)

    with pytest.raises(ExecutionError, match="X002"):
        run_cells(["1", code, "2"], slow, lambda number, _: time.sleep(1.5 * (number == 3)))


def test_a_cell_that_runs_too_long(tmp_path):
    code = "import os, time\nopen('pid', 'w').write(str(os.getpid()))\ntime.sleep(60)"
    diagnostic = finding([code], settings(tmp_path, cell_timeout=0.5))

    assert diagnostic.code is Code.CELL_TIMED_OUT
    assert diagnostic.line == 10
    assert "0.5 seconds" in diagnostic.what
    assert not is_running(int((tmp_path / "pid").read_text()))


#: Runs a cell in a kernel that is taken for a member of the group of its caller.
IN_OUR_GROUP = """
import asyncio, os, sys
from pathlib import Path
from queue import Empty
from jupyter_client.provisioning import local_provisioner
from polybook.execute import Setting, run
from polybook.frameworks import Framework

class Os:
    def __getattr__(self, name):
        return getattr(os, name)
    def getpgid(self, pid):
        return os.getpgrp()

local_provisioner.os = Os()
setting = Setting(Framework("engine", "Engine", "engine", "ipykernel"), Path(sys.prefix), Path.cwd())
print(asyncio.run(run(["1 + 1"], [("a.md", 1)], setting)).version)
"""


def test_a_kernel_without_a_group_of_its_own_takes_nobody_with_it(tmp_path):
    """So it is with one that is killed between its fork and its first step."""
    command = [sys.executable, "-c", IN_OUR_GROUP]
    run = subprocess.run(
        command, cwd=tmp_path, start_new_session=True, capture_output=True, text=True, check=False
    )

    assert (run.returncode, run.stdout.strip()) == (0, metadata.version("ipykernel")), run.stderr


def test_an_interrupt_ends_the_run_and_the_kernel(tmp_path):
    pid = tmp_path / "pid"

    def interrupt():
        wait_for(pid)
        os.kill(os.getpid(), signal.SIGINT)

    code = "import os, time\nopen('pid', 'w').write(str(os.getpid()))\ntime.sleep(60)"
    thread = threading.Thread(target=interrupt, daemon=True)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        run_cells([code], settings(tmp_path))
    thread.join()

    assert not is_running(int(pid.read_text()))


@pytest.mark.parametrize("method", ["async_start_new_kernel_client", "async_execute_cell"])
def test_an_end_that_comes_just_as_something_is_done_is_not_forgotten(tmp_path, monkeypatch, method):
    """As it is by `asyncio.wait_for` in Python 3.11, with which nbclient waits."""
    kept = getattr(NotebookClient, method)

    async def forgetting(client, *arguments):
        result = await kept(client, *arguments)
        asyncio.current_task().cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0)
        return result

    monkeypatch.setattr(NotebookClient, method, forgetting)
    with pytest.raises(asyncio.CancelledError):
        run_cells(["open('ran', 'a').write('1')", "open('ran', 'a').write('2')"], settings(tmp_path))
    ran = tmp_path / "ran"
    assert not ran.exists() or ran.read_text() == "1"


def test_an_error_of_the_caller_ends_the_kernel(tmp_path):
    def fail(number, _):
        if number == 2:
            raise RuntimeError("the terminal is gone")

    with pytest.raises(RuntimeError, match="the terminal is gone"):
        run_cells(["import os\nopen('pid', 'w').write(str(os.getpid()))", "1"], settings(tmp_path), fail)

    assert not is_running(int((tmp_path / "pid").read_text()))


def test_an_environment_that_does_not_exist(tmp_path):
    diagnostic = finding(["1"], settings(tmp_path, environment=tmp_path / "none"))

    assert diagnostic.code is Code.MISSING_ENVIRONMENT
    assert diagnostic.path == str(tmp_path / "none")
    assert "does not exist" in diagnostic.what


def test_an_environment_that_cannot_start_a_kernel(tmp_path):
    interpreter = tmp_path / "bin/python"
    interpreter.parent.mkdir()
    interpreter.write_text("#!/bin/sh\necho 'No module named ipykernel_launcher' >&2\nexit 1\n")
    interpreter.chmod(0o755)
    diagnostic = finding(["1"], settings(tmp_path, environment=tmp_path))

    assert diagnostic.code is Code.MISSING_ENVIRONMENT
    assert "No module named ipykernel_launcher" in diagnostic.what


def test_an_environment_without_its_framework(tmp_path):
    lacking = Framework("engine", "Engine", "engine", "no-such-framework")
    diagnostic = finding(["open('ran', 'w')"], settings(tmp_path, framework=lacking))

    assert diagnostic.code is Code.MISSING_ENVIRONMENT
    assert "has no no-such-framework" in diagnostic.what
    assert not (tmp_path / "ran").exists()


def test_every_cell_has_a_place(tmp_path):
    with pytest.raises(ValueError, match="2 cells cannot run at 1 places"):
        asyncio.run(run(["1", "2"], places("1"), settings(tmp_path)))


def test_digest_data_takes_the_first_folder_that_has_a_file(tmp_path):
    for folder, names in {"a": ["both"], "b": ["both", "only"]}.items():
        for name in names:
            (tmp_path / folder).mkdir(exist_ok=True)
            (tmp_path / folder / name).write_text(folder)

    digests = digest_data(["only", "both", "none"], [tmp_path / "a", tmp_path / "b"])

    assert digests.pop("none") is None
    assert digests == {
        name: hashlib.sha1(text).hexdigest()  # noqa: S324
        for name, text in {"both": b"a", "only": b"b"}.items()
    }


def cuda(name: str | None) -> SimpleNamespace:
    return SimpleNamespace(is_available=lambda: name is not None, get_device_name=lambda: name)


@pytest.mark.parametrize(("name", "device"), [(None, "cpu"), ("NVIDIA H200", "NVIDIA H200")])
def test_the_device_is_the_accelerator_if_there_is_one(monkeypatch, name, device):
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda(name)))

    assert probe.describe("ipykernel")["device"] == device


def test_a_framework_may_come_in_its_build_for_gpus():
    assert FRAMEWORKS["tensorflow"].distributions == ("tensorflow-cpu", "tensorflow")
    assert FRAMEWORKS["jax"].distributions == ("jax",)
    version = probe.describe("no-such-framework", "ipykernel")["version"]
    assert version == metadata.version("ipykernel")


@pytest.mark.skipif(
    not PLOTTING_ENVIRONMENT.exists(), reason="needs matplotlib, which the engine does not have"
)
def test_two_runs_draw_the_same_plot(tmp_path):
    cells = [
        "import matplotlib.pyplot as plt",
        "plt.plot([1, 2], [3, 4])\nplt.fill_between([1, 2], [3, 4], hatch='x')\nplt.xlabel('épochs');",
    ]
    setting = settings(tmp_path, framework=FRAMEWORKS["pytorch"], environment=PLOTTING_ENVIRONMENT)
    first, second = (run_cells(cells, setting).outputs for _ in range(2))

    (figure,) = first[1]
    assert first == second
    assert set(figure["data"]) == {"image/svg+xml", "text/plain"}
    assert ">épochs</text>" in figure["data"]["image/svg+xml"]


STARTING = """
import os, pathlib, subprocess, time
child = subprocess.Popen(['sh', '-c', 'sleep 60 & wait'], start_new_session=True)
pathlib.Path('child').write_text(str(child.pid))
"""


@pytest.mark.parametrize("end", ["", "1 / 0", "time.sleep(1.5)\nos.kill(os.getpid(), 9)"])
def test_what_cells_started_in_sessions_of_their_own_ends_with_them(tmp_path, end):
    with suppress(ExecutionError):
        run_cells([STARTING, end or "1"], settings(tmp_path))

    pid = int((tmp_path / "child").read_text())
    deadline = time.monotonic() + 5
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(pid)


def test_a_message_that_came_unnoticed_is_found(monkeypatch):
    monkeypatch.setattr(execute, "_GLANCE", 0.01)
    waits: list[float] = []

    async def get(timeout):
        waits.append(timeout)
        if len(waits) < 3:
            raise Empty
        return {"msg_type": "execute_reply"}

    assert asyncio.run(execute._next_message(get)) == {"msg_type": "execute_reply"}
    assert waits == [0.01] * 3


def test_a_message_that_does_not_come_is_not_waited_for_longer_than_asked(monkeypatch):
    monkeypatch.setattr(execute, "_GLANCE", 0.01)
    waits: list[float] = []

    async def get(timeout):
        waits.append(timeout)
        await asyncio.sleep(timeout)
        raise Empty

    with pytest.raises(Empty):
        asyncio.run(execute._next_message(get, timeout=0.035))
    assert sum(waits) == pytest.approx(0.035, abs=0.01)
