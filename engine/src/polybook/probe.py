"""What polybook puts into a kernel before a chapter's first cell. It runs there, not here.

`execute` sends the text of this module, so it needs nothing but the standard library and what every kernel
has, and no newer Python than the oldest environment of a framework.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import logging
import os
import platform
import signal
import sys
from importlib import metadata
from types import ModuleType

from IPython import get_ipython
from traitlets.config import Config

_CPU = "cpu"
#: `PR_SET_PDEATHSIG` of Linux.
_DEATH_SIGNAL = 1

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any


def install(log: str, roots: Sequence[str], parent: int, cores: Sequence[int]) -> None:
    """Prepare the kernel.

    Args:
        log: The file that takes the paths of data files as they are opened, or looked for in vain, each ended
            by a null byte.
        roots: The folders that data files lie in, absolute.
        parent: The process without which the kernel has nobody to run for.
        cores: The cores to keep to; none for all.
    """
    _end_with(parent)
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)
    _log_data(log, roots)
    _make_plots_repeatable()


def describe(*distributions: str) -> dict[str, str | None]:
    """Return the versions of Python and of the first distribution there is, and the framework's device."""
    version = next(filter(None, map(_version, distributions)), None)
    return {"python": platform.python_version(), "version": version, "device": _device()}


def _end_with(parent: int) -> None:
    """Have the kernel killed as soon as its parent has gone, however that went."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def _log_data(log: str, roots: Sequence[str]) -> None:
    """Log each file below the roots that is opened for reading, or not there when somebody asks.

    Forked workers log to the same file.
    """
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    prefixes = tuple(root.rstrip(os.sep) + os.sep for root in roots)
    seen = set()

    def note(path: object) -> None:
        if not isinstance(path, (str, bytes, os.PathLike)):
            return
        name = os.path.abspath(os.fsdecode(path))  # noqa: PTH100  # pathlib would follow links
        if name.startswith(prefixes) and name not in seen:
            seen.add(name)
            with contextlib.suppress(OSError):  # the cells may have closed every file they found
                os.write(descriptor, os.fsencode(name) + b"\0")

    def hook(event: str, args: tuple[object, ...]) -> None:
        if event == "open":
            path, _, flags = args
            if isinstance(flags, int) and not flags & (os.O_WRONLY | os.O_TRUNC):
                note(path)

    sys.addaudithook(hook)
    _tell_misses(note)


def _tell_misses(note: Callable[[object], None]) -> None:
    """Have paths that `os.stat` does not find told; no audit event does that."""
    stat = os.stat

    @functools.wraps(stat)
    def telling(path: int | str | bytes | os.PathLike[Any], **options: Any) -> os.stat_result:
        try:
            return stat(path, **options)
        except FileNotFoundError:
            note(path)
            raise

    for able in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks):
        able.add(telling)
    os.stat = telling


def _make_plots_repeatable() -> None:
    """Have figures shown as SVG, and drawn byte for byte the same by two runs.

    The settings wait for a cell that imports matplotlib; an environment may well have none.
    """
    shell = get_ipython()
    shell.config.InlineBackend = Config(
        figure_formats={"svg"},
        print_figure_kwargs={"bbox_inches": "tight", "metadata": {"Date": None}},
        rc={"svg.hashsalt": "polybook", "svg.fonttype": "none"},
    )
    fonts = logging.getLogger("matplotlib.font_manager")
    fonts.addFilter(lambda record: "building the font cache" not in record.getMessage())


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _torch_device(torch: ModuleType) -> str:
    return str(torch.cuda.get_device_name()) if torch.cuda.is_available() else _CPU


def _jax_device(jax: ModuleType) -> str:
    device = jax.devices()[0]
    return _CPU if device.platform == "cpu" else str(device.device_kind)


def _tensorflow_device(tensorflow: ModuleType) -> str:
    devices = tensorflow.config.list_physical_devices("GPU")
    details = [tensorflow.config.experimental.get_device_details(device) for device in devices]
    return str(details[0].get("device_name", "GPU")) if details else _CPU


def _mxnet_device(mxnet: ModuleType) -> str:
    return "GPU" if mxnet.context.num_gpus() else _CPU


_DEVICES = {
    "torch": _torch_device,
    "jax": _jax_device,
    "tensorflow": _tensorflow_device,
    "mxnet": _mxnet_device,
}


def _device() -> str:
    """Return the accelerator that the framework the cells imported has, or `cpu`."""
    for name, find in _DEVICES.items():
        if name in sys.modules:
            return find(sys.modules[name])
    return _CPU
