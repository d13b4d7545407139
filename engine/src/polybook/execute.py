"""Running a chapter's cells in a kernel of the framework's environment."""

from __future__ import annotations

import ast
import asyncio
import json
import logging
import math
import os
import re
import signal
import tempfile
import textwrap
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from queue import Empty
from typing import Any

import psutil
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook
from traitlets import Unicode

from .data import digest_data
from .diagnostics import Code, Diagnostic
from .errors import ExecutionError
from .frameworks import Framework
from .outputs import Output

#: The path of a file and a line in it.
Place = tuple[str, int]
_Message = dict[str, Any]

#: Seconds that a kernel may take to start, and its last outputs to arrive.
_PATIENCE = 120
#: Seconds between two looks at a kernel's memory.
_LOOK = 0.5
#: Seconds between two looks for a message that came unnoticed.
_GLANCE = 1.0
_LONGEST_MESSAGE = 300
#: Where a syntax error is: `(2747763117.py, line 1)`.
_CELL_FILE = re.compile(r"\(\d+\.py, line (\d+)\)")
_CODE_SUFFIXES = frozenset({".py", ".pyc", ".so"})
#: Variables of the caller that would make results depend on who runs polybook.
_FOREIGN_VARIABLES = ("IPYTHONDIR", "MATPLOTLIBRC", "MPLBACKEND", "PYTHONHOME", "PYTHONSTARTUP")

_LOG = logging.getLogger("polybook.kernel")
_LOG.addHandler(logging.NullHandler())
_LOG.propagate = False  # what goes wrong is told by a diagnostic


@dataclass(frozen=True, slots=True)
class Setting:
    """Where and how cells run; one setting serves all chapters of a framework."""

    #: The framework whose code runs.
    framework: Framework
    #: The framework's virtual environment, with ipykernel in it.
    environment: Path
    #: The folder that the cells run in.
    working_directory: Path
    #: Folders that the cells can import from, besides the environment.
    python_path: Sequence[Path] = ()
    #: Environment variables that the cells see.
    variables: Mapping[str, str] = field(default_factory=dict)
    #: Folders that data files lie in; of two files of one name the first folder's counts.
    data_roots: Sequence[Path] = ()
    #: The cores that the cells keep to; none for all.
    cores: Sequence[int] = ()
    #: Seconds that one cell may run, `None` for as long as it likes.
    cell_timeout: float | None = None
    #: The public version that the framework must have, `None` for any.
    version: str | None = None


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run gave."""

    #: The outputs of each cell as the kernel sent them, updates of displays carried out.
    outputs: tuple[tuple[Output, ...], ...]
    #: The SHA-1 of each data file that was read, by its name relative to its folder, and `None` for each
    #: that was looked for in vain.
    data: Mapping[str, str | None]
    #: The version of Python.
    python: str
    #: The framework's public version.
    version: str
    #: `cpu`, or the name of the accelerator.
    device: str
    #: How long it took.
    seconds: float
    #: The bytes of memory that the kernel held at the most, with the processes that its cells started.
    memory: int


async def run(
    cells: Sequence[str],
    places: Sequence[Place],
    setting: Setting,
    on_cell: Callable[[int, int], object] | None = None,
    may_hold: Callable[[int], bool] | None = None,
) -> RunResult:
    """Run cells one after the other in a fresh kernel, which is gone when this returns or raises.

    Args:
        cells: The code, cell by cell.
        places: Where each cell stands, for messages.
        setting: Where and how to run.
        on_cell: Called before each cell with its number, from 1, and the number of cells.
        may_hold: Says, twice a second, whether the run may hold so many bytes of memory.

    Raises:
        ExecutionError: A cell raised, ran too long, took the kernel down or more memory than it may, or there
            is no kernel to start.
    """
    if not cells or len(cells) != len(places):
        raise ValueError(f"{len(cells)} cells cannot run at {len(places)} places")
    if not _interpreter(setting.environment).exists():
        raise ExecutionError(_missing(setting, "does not exist"))
    with tempfile.TemporaryDirectory(prefix="polybook-", ignore_cleanup_errors=True) as folder:
        kernel = _Kernel(cells, setting, Path(folder))
        try:
            await kernel.start(places[0])
            _raise_if_cancelled()
            async with beside(kernel.watch(places, may_hold)):
                for index, place in enumerate(places):
                    if on_cell:
                        on_cell(index + 1, len(cells))
                    await kernel.run_cell(index, place)
                    _raise_if_cancelled()
                return await kernel.result(places[-1])
        finally:
            await kernel.stop()


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Do some work while the block runs; where one of them raises, the other ends."""
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(work)
            yield
            task.cancel()
    except BaseExceptionGroup as errors:
        first = errors.exceptions[0]
        raise first from first.__cause__


def _interpreter(environment: Path) -> Path:
    return environment.absolute() / "bin" / "python"


def _public(version: str) -> str:
    """Return a version without its local part: `2.6.0` for `2.6.0+cpu`."""
    return version.partition("+")[0]


class _Kernel:
    """A kernel of an environment, with the notebook that it runs.

    Args:
        cells: The code, cell by cell.
        setting: Where and how to run.
        scratch: An empty folder that goes when the kernel has gone.
    """

    def __init__(self, cells: Sequence[str], setting: Setting, scratch: Path) -> None:
        self.setting = setting
        self.scratch = scratch
        self.reads = scratch / "reads"
        self.errors = scratch / "errors"
        self.began = time.monotonic()
        self.peak = 0
        self.process: psutil.Process | None = None
        self.family: set[psutil.Process] = set()
        self.cell = 0
        self.manager = _manager(setting.environment, scratch)
        self.client = NotebookClient(
            _notebook(cells),
            self.manager,
            log=_LOG,
            timeout_func=lambda cell: setting.cell_timeout,
            startup_timeout=_PATIENCE,
            iopub_timeout=_PATIENCE,
            raise_on_iopub_timeout=True,
            record_timing=False,
            store_widget_state=True,  # what a widget captures goes there and not to the cell
        )

    async def start(self, first: Place) -> None:
        """Start the kernel and prepare it.

        Args:
            first: The place of the first cell, which has to answer for a kernel that is killed before it.

        Raises:
            ExecutionError: The environment cannot start one, lacks the framework or has another version.
        """
        setting = self.setting
        try:
            await self._launch()
            await self._evaluate("None", _probe_definition())
            roots = sorted({str(form) for root in setting.data_roots for form in _forms(root)})
            cores = list(setting.cores)
            arguments = f"{str(self.reads)!r}, {roots!r}, {os.getpid()}, {cores!r}"
            await self._evaluate(f"{_PROBE}.install({arguments})")
            facts = await self._evaluate(f"{_PROBE}.describe(*{setting.framework.distributions!r})")
        except (OSError, RuntimeError) as error:  # jupyter_client has no types for a kernel that is not there
            _raise_if_cancelled()
            exit_ = await self._exit()
            if exit_.startswith("killed"):
                raise ExecutionError(_died(1, first, exit_)) from error
            reason = self._last_words() or str(error)
            raise ExecutionError(_missing(setting, f"starts no kernel: {reason}")) from error
        if facts["version"] is None:
            raise ExecutionError(_missing(setting, f"has no {setting.framework.distribution}"))
        if setting.version not in (None, _public(facts["version"])):
            raise ExecutionError(_other_version(setting, facts["version"]))

    async def _launch(self) -> None:
        """Start the kernel's process and wait until it answers."""
        with self.errors.open("wb") as errors:
            await self.client.async_start_new_kernel(
                cwd=str(self.setting.working_directory),
                env=_variables(self.setting, self.scratch),
                stdout=errors,
                stderr=errors,
            )
        provisioner: Any = self.manager.provisioner
        if provisioner.pgid == os.getpgrp():
            provisioner.pgid = None  # it died before it had a group, and who kills this one kills polybook
        with suppress(psutil.NoSuchProcess):
            self.process = psutil.Process(provisioner.pid)
        await self.client.async_start_new_kernel_client()
        client: Any = self.client.kc
        for channel in (client.shell_channel, client.iopub_channel):
            channel.get_msg = partial(_next_message, channel.get_msg)

    async def run_cell(self, index: int, place: Place) -> None:
        """Run one cell; its outputs go into the notebook.

        Raises:
            ExecutionError: The cell raised, ran too long or took the kernel down.
        """
        cell = self.client.nb.cells[index]
        self.cell = index
        number = index + 1
        try:
            await self.client.async_execute_cell(cell, index)
        except CellExecutionError as error:
            raise ExecutionError(_raised(number, place, error.ename, error.evalue)) from error
        except CellTimeoutError as error:
            raise ExecutionError(_timed_out(number, place, self.setting.cell_timeout)) from error
        except DeadKernelError as error:
            _raise_if_cancelled()
            raise ExecutionError(_died(number, place, await self._exit())) from error
        for output in cell.outputs:
            if output.output_type == "error":  # a figure that cannot be drawn: the reply calls it a success
                raise ExecutionError(_raised(number, place, output.ename, output.evalue))

    async def watch(self, places: Sequence[Place], may_hold: Callable[[int], bool] | None) -> None:
        """Keep an eye on the memory that the kernel and its children hold.

        Raises:
            ExecutionError: It is more than they may.
        """
        process = self.process
        while process is not None:
            children = _children(process)
            self.family.update(children)
            held = _held([process, *children])
            self.peak = max(self.peak, held)
            if may_hold and not may_hold(held):
                raise ExecutionError(_too_large(self.cell + 1, places[self.cell], held))
            await asyncio.sleep(_LOOK)

    async def result(self, last: Place) -> RunResult:
        """Return what the run gave.

        Args:
            last: The place of the last cell, which has to answer for a kernel that is dead by now.

        Raises:
            ExecutionError: The kernel is dead or does not know its device.
        """
        distributions = self.setting.framework.distributions
        try:
            facts = await self._evaluate(f"{_PROBE}.describe(*{distributions!r})")
        except RuntimeError as error:
            reason = await self._exit() if isinstance(error, DeadKernelError) else _one_line(str(error))
            raise ExecutionError(_died(len(self.client.nb.cells), last, reason)) from error
        outputs = tuple(_plain(cell.outputs) for cell in self.client.nb.cells)
        data = digest_data(self._data_names(), self.setting.data_roots)
        return RunResult(
            outputs=outputs,
            data=data,
            python=facts["python"],
            version=_public(facts["version"]),
            device=facts["device"],
            seconds=time.monotonic() - self.began,
            memory=self.peak,
        )

    async def stop(self) -> None:
        """Kill the kernel, if it lives, with every process that its cells have left.

        Those that have made groups of their own are found as long as their parents live, or `watch` has seen
        them before.
        """
        if self.process is not None:
            self.family.update(_children(self.process))
        if self.client.kc is not None:
            self.client.kc.stop_channels()
        if self.manager.has_kernel:
            await self.manager.shutdown_kernel(now=True)
        for process in self.family:
            with suppress(psutil.Error):
                process.kill()
        await self.manager.cleanup_resources()

    async def _evaluate(self, expression: str, code: str = "") -> Any:
        """Return the value of an expression in the kernel, after code that leaves no trace in the history."""
        client: Any = self.client.kc
        wanted = {"value": expression}
        message = client.execute(code, silent=True, store_history=False, user_expressions=wanted)
        reply: Any = await self.client.async_wait_for_reply(message)
        content = reply["content"]
        answer = content["user_expressions"]["value"] if content["status"] == "ok" else content
        if answer["status"] != "ok":
            raise RuntimeError(f"{answer['ename']}: {answer['evalue']}")
        return ast.literal_eval(answer["data"]["text/plain"])

    def _data_names(self) -> set[str]:
        """Return the names of the files that were looked for, relative to the folders they lie in."""
        paths = [Path(os.fsdecode(name)) for name in self.reads.read_bytes().split(b"\0") if name]
        return {
            path.relative_to(form).as_posix()
            for path in paths
            for root in self.setting.data_roots
            for form in _forms(root)
            if path.is_relative_to(form) and path.suffix not in _CODE_SUFFIXES
        }

    def _last_words(self) -> str:
        """Return the last line that the kernel wrote to its terminal."""
        lines = self.errors.read_text(errors="replace").split("\n")
        return next((_one_line(line) for line in reversed(lines) if line.strip()), "")

    async def _exit(self) -> str:
        """Return how the kernel's process ended."""
        provisioner = self.manager.provisioner
        status = await provisioner.poll() if provisioner else None
        if status is not None and status < 0:
            return f"killed by {signal.Signals(-status).name}"
        return f"exit status {status}"


async def _next_message(get: Callable[..., Awaitable[_Message]], timeout: float | None = None) -> _Message:
    """Return the next message of a kernel's channel, looking there every second.

    Sockets of pyzmq tell when they become readable, and a moment that is missed does not come again: the
    message would lie there until the cell's time is up.

    Args:
        get: Waits some seconds for a message.
        timeout: How many seconds to wait, `None` for as long as it takes.

    Raises:
        Empty: None has come in time.
    """
    end = math.inf if timeout is None else time.monotonic() + timeout
    while True:
        left = max(0.0, end - time.monotonic())
        try:
            return await get(timeout=min(left, _GLANCE))
        except Empty:
            if left <= _GLANCE:
                raise


_PROBE = "__import__('polybook_probe')"


def _probe_definition() -> str:
    """Return a statement that makes the module `probe` in a kernel and binds no name that cells could see."""
    source = Path(__file__).with_name("probe.py").read_text(encoding="utf-8")
    module = "__import__('types').ModuleType('polybook_probe')"
    modules = "__import__('sys').modules"
    return f"exec({source!r}, {modules}.setdefault('polybook_probe', {module}).__dict__)"


def _notebook(cells: Sequence[str]) -> NotebookNode:
    notebook: NotebookNode = new_notebook()
    notebook.cells = [new_code_cell(code) for code in cells]
    return notebook


class _Kernels(KernelSpecManager):
    """Knows the kernel of one environment and looks for no other."""

    interpreter = Unicode()

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Return how the environment's kernel is started."""
        command = [self.interpreter, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=command, display_name=kernel_name, language="python")


def _manager(environment: Path, scratch: Path) -> AsyncKernelManager:
    """Return a manager that keeps to the scratch folder, its sockets included."""
    return AsyncKernelManager(
        log=_LOG,
        kernel_spec_manager=_Kernels(interpreter=str(_interpreter(environment))),
        connection_file=str(scratch / "kernel.json"),
        transport="ipc",
        ip=str(scratch / "socket"),
    )


def _variables(setting: Setting, scratch: Path) -> dict[str, str]:
    """Return the kernel's environment variables: nothing is read from or written to the user's home."""
    inherited = {name: value for name, value in os.environ.items() if name not in _FOREIGN_VARIABLES}
    folders = {
        name: str(scratch / name.lower())
        for name in (
            "IPYTHONDIR",
            "JUPYTER_CONFIG_DIR",
            "JUPYTER_DATA_DIR",
            "JUPYTER_RUNTIME_DIR",
            "MPLCONFIGDIR",
        )
    }
    path = (str(_interpreter(setting.environment).parent), inherited.get("PATH", os.defpath))
    return {
        **inherited,
        **folders,
        "JUPYTER_PATH": "",
        "PATH": os.pathsep.join(path),
        "PYTHONHASHSEED": "0",
        "PYTHONNOUSERSITE": "1",
        "PYTHONPATH": os.pathsep.join(str(folder.absolute()) for folder in setting.python_path),
        "VIRTUAL_ENV": str(setting.environment.absolute()),
        **setting.variables,
    }


def _children(process: psutil.Process) -> list[psutil.Process]:
    """Return the processes that a process has started, with those that they have."""
    try:
        return list(process.children(recursive=True))
    except psutil.NoSuchProcess:  # it has died; who waits for its cell says so
        return []


def _held(processes: Sequence[psutil.Process]) -> int:
    """Return the bytes of memory that processes hold; what they share counts for each."""
    held = 0
    for each in processes:
        with suppress(psutil.Error):
            held += each.memory_info().rss
    return held


def _forms(root: Path) -> tuple[Path, Path]:
    """Return the two ways to write a folder's path, as it is named and with links followed."""
    return root.absolute(), root.resolve()


def _plain(outputs: Sequence[Any]) -> tuple[Output, ...]:
    """Return outputs as plain values."""
    return tuple(json.loads(json.dumps(output)) for output in outputs)


def _raise_if_cancelled() -> None:
    """Raise what was meant where nbclient took the end of polybook for the end of the kernel, or for nothing.

    It waits with `asyncio.wait_for`, which forgets a cancellation that comes as the awaited is done.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _one_line(text: str) -> str:
    return textwrap.shorten(text, _LONGEST_MESSAGE, placeholder=" ...")


def _raised(number: int, place: Place, name: str, message: str) -> Diagnostic:
    message = _CELL_FILE.sub(r"(line \1 of the cell)", message)
    return Diagnostic(
        *place,
        Code.CELL_RAISED,
        what=f"Cell {number} raised {_one_line(f'{name}: {message}')}",
        advice="Mend the cell and run the chapter again.",
    )


def _timed_out(number: int, place: Place, timeout: float | None) -> Diagnostic:
    limit = f"{timeout:g} seconds" if timeout else "the time there is for its outputs"
    return Diagnostic(
        *place,
        Code.CELL_TIMED_OUT,
        what=f"Cell {number} did not finish within {limit}.",
        advice="Have it do less, or allow a cell more time.",
    )


def _too_large(number: int, place: Place, held: int) -> Diagnostic:
    return Diagnostic(
        *place,
        Code.OUT_OF_MEMORY,
        what=f"Cell {number} took more memory than it may: the kernel held {held / 2**30:.1f} GB.",
        advice="Have it need less, or allow more with `--memory`.",
    )


def _died(number: int, place: Place, reason: str) -> Diagnostic:
    advice = "Look which call of the cell ends the process."
    if reason.endswith("SIGKILL"):
        advice = "Look whether the cell needs more memory than there is."
    what = f"The kernel died while it ran cell {number} ({reason})."
    return Diagnostic(*place, Code.KERNEL_DIED, what, advice)


def _other_version(setting: Setting, version: str) -> Diagnostic:
    name = setting.framework.distribution
    what = f"has {name} {version}; {setting.version} is pinned."
    return Diagnostic(
        path=str(setting.environment),
        line=0,
        code=Code.MISSING_ENVIRONMENT,
        what=f"The environment for {setting.framework.title} {what}",
        advice=f"Install {name}=={setting.version} there, or pin what it has in `requirements/`.",
    )


def _missing(setting: Setting, reason: str) -> Diagnostic:
    return Diagnostic(
        path=str(setting.environment),
        line=0,
        code=Code.MISSING_ENVIRONMENT,
        what=f"The environment for {setting.framework.title} {reason}.",
        advice="Create it from the framework's file in `requirements/`; `make execute` does so.",
    )
