"""Units packed with all they need, and what a worker of a Dask cluster does with one."""

from __future__ import annotations

import ast
import asyncio
import math
import tempfile
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path, PurePosixPath

from distributed import Worker, get_worker

from ..diagnostics import Diagnostic
from ..dialect.python import find_tokens
from ..errors import ExecutionError
from ..execute import RunResult, beside
from ..keys import EXECUTION_VERSION
from .machine import Folders, Job, Machine
from .units import DATA_CACHE, ENVIRONMENTS_FOLDER, Unit, data_roots

#: The resources that workers declare and runs ask for.
GPU, MEMORY = "GPU", "MEMORY"

#: Seconds between two looks whether a run is still wanted.
_LOOK = 0.5
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Parcel:
    """A job that can run where the book is not."""

    #: The task's key in the cluster, another one for each attempt.
    key: str
    #: The topic of the cluster's events that hears how it comes on.
    topic: str
    #: The code and what it needs.
    job: Job
    #: The package that the book's library is written to, or `None` for a book without one.
    library: str | None
    #: The files of that package, by their paths in it.
    code: Mapping[str, bytes]
    #: The names of the data files, whose contents travel on their own.
    data: Sequence[str]
    #: polybook's way of running cells, which has to be the worker's.
    execution: int = EXECUTION_VERSION


def library_files(unit: Unit) -> dict[str, bytes]:
    """Return the files of the book's library, by their paths in its package."""
    library = unit.book.config.library
    folder = unit.book.root / library if library else None
    if folder is None or not folder.is_dir():
        return {}
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def data_files(unit: Unit, known: Mapping[str, object]) -> dict[str, Path]:
    """Return the data files on this machine that a unit may read, by their names.

    They are those that it read when it last ran, and those that its code names.

    Args:
        unit: The unit.
        known: Has the names of the files that it read.
    """
    library = unit.book.config.library
    own = unit.book.root / library if library else None
    roots = [root for root in data_roots(unit.book) if root != own]
    names = {*known, *_named("\n".join([*unit.codes, *unit.definitions.values()]))}
    found = {}
    for name in sorted(names):
        path = next((root / name for root in roots if (root / name).is_file()), None)
        if path is not None:
            found[name] = path
    return found


def _named(code: str) -> Iterator[str]:
    """Yield the strings in code that could be the name of a data file."""
    for token in find_tokens(code):
        text = ast.literal_eval(token.string) if _is_plain_string(token) else None
        if isinstance(text, str) and 0 < len(text) < _LONGEST_NAME and text.isprintable():
            path = PurePosixPath(text)
            if path.name and not path.is_absolute() and ".." not in path.parts:
                yield text


def _is_plain_string(token: tokenize.TokenInfo) -> bool:
    return token.type == tokenize.STRING and "f" not in token.string.lower().partition(token.string[-1])[0]


async def run_parcel(parcel: Parcel, *contents: bytes) -> RunResult | Sequence[Diagnostic]:
    """Run a parcel on the worker that this is called on.

    Args:
        parcel: The parcel.
        *contents: What is in its data files.

    Returns:
        Its result, or why it failed: the causes of an error may not survive the way back.

    Raises:
        RuntimeError: It is no longer wanted, or made for another version of polybook.
    """
    if parcel.execution != EXECUTION_VERSION:
        raise RuntimeError("the worker has another version of polybook")
    worker = get_worker()
    machine = _machine(worker.address, worker.state.nthreads, _memory_of(worker))
    with tempfile.TemporaryDirectory(prefix="polybook-", dir=worker.local_directory) as folder:
        folders = _unpack(parcel, contents, Path(folder))
        async with beside(_watch(worker, parcel.key)):
            try:
                return await machine.run(parcel.job, folders, _Sender(worker, parcel))
            except ExecutionError as error:
                return error.diagnostics


@cache
def _machine(address: str, jobs: int, memory: float) -> Machine:
    """Return what keeps the runs of one worker apart."""
    return Machine(jobs, memory)


def _memory_of(worker: Worker) -> float:
    return worker.state.total_resources.get(MEMORY, math.inf)


async def _watch(worker: Worker, key: str) -> None:
    """End a run that nobody waits for any more: Dask itself lets it go on to its end.

    Raises:
        RuntimeError: Nobody does.
    """
    while True:
        task = worker.state.tasks.get(key)
        if task is None or task.state not in ("executing", "long-running"):
            raise RuntimeError(f"{key} is no longer wanted")
        await asyncio.sleep(_LOOK)


def _unpack(parcel: Parcel, contents: Sequence[bytes], folder: Path) -> Folders:
    """Write a parcel's files below a folder; return where they are."""
    book, data = folder / "book", folder / "data"
    files = {data / name: content for name, content in zip(parcel.data, contents, strict=True)}
    roots = [data, DATA_CACHE.expanduser()]
    if parcel.library:
        files |= {book / parcel.library / name: content for name, content in parcel.code.items()}
        roots.append(book / parcel.library)
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    environment = Path(ENVIRONMENTS_FOLDER).absolute() / parcel.job.framework
    return Folders(environment, folder / "work", book, roots, named_data=data)


class _Sender:
    """Sends news of a parcel to whom it came from; see `machine.News`."""

    def __init__(self, worker: Worker, parcel: Parcel) -> None:
        self._send = partial(worker.log_event, parcel.topic)
        self._key = parcel.key
        self._address = worker.address

    def begin(self, where: str) -> None:
        self._send({"key": self._key, "news": "begin", "arguments": [f"{where} of {self._address}"]})

    def reach(self, cell: int) -> None:
        self._send({"key": self._key, "news": "reach", "arguments": [cell]})

    def say(self, what: str) -> None:
        self._send({"key": self._key, "news": "say", "arguments": [what]})
