"""Choosing what a chapter says for one framework.

A cell belongs to the frameworks its tab marks name, an unmarked one to the default framework. Inside
a cell, `if tab.selected(...)` keeps or drops its body.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from .dialect import prune, split_setup, split_tab_marks
from .dialect.cells import ALL
from .model import Block, Cell, Document, TabBegin, TabEnd


@dataclass(frozen=True, slots=True)
class Framework:
    """What polybook knows of a framework."""

    #: The name in tab marks: `pytorch`.
    name: str
    #: The name a reader sees.
    title: str
    #: The module of the library: `d2l.torch`.
    module: str
    #: The distribution whose version goes into keys and provenance.
    distribution: str
    #: Environment variables that the library sets, where they are not, before it imports the framework.
    environment: tuple[tuple[str, str], ...] = ()
    #: What to install in its place on a machine with a GPU; empty where it is the same.
    gpu_distribution: str = ""
    #: Packages that it works with in certain versions only.
    companions: tuple[str, ...] = ()

    @property
    def distributions(self) -> tuple[str, ...]:
        """The distributions that an environment may have it from, of which it has one."""
        on_gpu = self.gpu_distribution.partition("[")[0]
        return (self.distribution, on_gpu) if on_gpu not in ("", self.distribution) else (self.distribution,)


#: TensorFlow greets with messages about the processor. oneDNN's cannot be had without its kernels, which make
#: the last digits of a result depend on the machine.
_QUIET_TENSORFLOW = (("TF_CPP_MIN_LOG_LEVEL", "1"), ("TF_ENABLE_ONEDNN_OPTS", "0"))

FRAMEWORKS = {
    framework.name: framework
    for framework in (
        Framework("pytorch", "PyTorch", "torch", "torch"),
        Framework(
            "tensorflow", "TensorFlow", "tensorflow", "tensorflow-cpu", _QUIET_TENSORFLOW, "tensorflow"
        ),
        Framework("mxnet", "MXNet", "mxnet", "mxnet", companions=("matplotlib", "numpy")),
        Framework("jax", "JAX", "jax", "jax", gpu_distribution="jax[cuda12]"),
    )
}


def belongs(names: Sequence[str] | None, framework: str, default: str) -> bool:
    """Return whether something marked with `names` is part of `framework`."""
    if names is None:
        return framework == default
    return framework in names or ALL in names


def code_for(cell: Cell, framework: str, default: str) -> str | None:
    """Return a cell's code for a framework, or `None` where it has none.

    The marks that chose it are gone; `#@save` marks stay.
    """
    names, _, code = _read(cell)
    if not belongs(names, framework, default):
        return None
    return prune(code, framework).strip("\n").rstrip() or None


def required_libraries(document: Document, framework: str, default: str) -> tuple[str, ...]:
    """Return what `#required_libs(...)` names in a chapter's cells for a framework, each once."""
    found: dict[str, None] = {}
    for cell in document.cells:
        names, libraries, _ = _read(cell)
        if belongs(names, framework, default):
            found |= dict.fromkeys(libraries)
    return tuple(found)


def _read(cell: Cell) -> tuple[tuple[str, ...] | None, tuple[str, ...], str]:
    """Return the frameworks a cell is for, the libraries it needs and its code without marks and set-up.

    A cell with nothing but set-up, and no mark, is for all.
    """
    return _read_code(cell.code)


@lru_cache(1 << 14)  # each framework and each thing that is made of a chapter asks again
def _read_code(text: str) -> tuple[tuple[str, ...] | None, tuple[str, ...], str]:
    names, marked = split_tab_marks(text)
    libraries, code = split_setup(marked)
    if names is None and code != marked and not code.strip():
        names = (ALL,)
    return names, libraries, code


def select(document: Document, framework: str, default: str) -> Document:
    """Return the chapter as it is for one framework: no tab marks, no other framework's code or prose.

    A tab block that is never closed ends at the next cell.
    """
    blocks: list[Block] = []
    shown = True
    for block in document.blocks:
        if isinstance(block, TabBegin):
            shown = belongs(block.frameworks, framework, default)
        elif isinstance(block, TabEnd):
            shown = True
        elif isinstance(block, Cell):
            shown = True
            code = code_for(block, framework, default)
            if code is not None:
                blocks.append(replace(block, code=code))
        elif shown:
            blocks.append(block)
    return replace(document, blocks=tuple(blocks))


def chapter_frameworks(document: Document, frameworks: Sequence[str], default: str) -> tuple[str, ...]:
    """Return the frameworks of the book that a chapter has code for, in the book's order.

    What is marked `all` follows the frameworks that the chapter names; a chapter that names none has all.
    """
    marks = [_read(cell)[0] for cell in document.cells]
    named = {name for names in marks for name in names or () if name != ALL}
    if None in marks:
        named.add(default)
    if not named:
        return tuple(frameworks)
    return tuple(name for name in frameworks if name in named)
