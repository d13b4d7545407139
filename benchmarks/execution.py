"""What polybook adds to the time of the kernels, and the memory that it needs itself.

A book of chapters that sleep, so that the kernels do not compete for the processor, is run twice: by polybook
with two slots, and by hand, each chapter in a kernel of its own, two at a time. Then a small and a larger
book are run, to see whether polybook's memory grows with the number of chapters.

    .venv/bin/python benchmarks/execution.py [SECONDS]
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from polybook.execute import Setting, run
from polybook.frameworks import FRAMEWORKS
from polybook.pipeline.schedule import find_cores, share_cores

SLOTS = 2
CHAPTERS = 6
SECONDS = 20
#: Books whose memory is compared.
SIZES = (4, 40)


def write_book(root: Path, count: int, seconds: float) -> None:
    """Write a book of chapters that sleep; this environment stands in for PyTorch's."""
    names = [f"chapter-{number}" for number in range(count)]
    (root / "_config.yml").write_text("polybook: {languages: {en: .}, frameworks: [pytorch]}\n")
    files = "".join(f"\n- file: {name}" for name in names[1:])
    (root / "_toc.yml").write_text(f"format: jb-book\nroot: {names[0]}\nchapters:{files}\n")
    for name in names:
        (root / f"{name}.md").write_text(
            "\n\n".join([f"# {name}", *map(fenced, cells(name, seconds))]) + "\n"
        )
    (root / ".venvs").mkdir()
    (root / ".venvs/pytorch").symlink_to(sys.prefix)
    metadata = root / "torch-1.0.dist-info/METADATA"
    metadata.parent.mkdir()
    metadata.write_text("Metadata-Version: 2.1\nName: torch\nVersion: 1.0\n")


def cells(name: str, seconds: float) -> list[str]:
    """Return the code of a chapter."""
    return [f"import time\ntime.sleep({seconds})", f"print('{name} ' * 1000)"]


def fenced(code: str) -> str:
    return f"```{{.python .input}}\n{code}\n```"


def measure_polybook(root: Path) -> tuple[float, float]:
    """Return the seconds of `polybook execute` on the clock, and the megabytes that it held at the most."""
    command = [sys.executable, "-m", "polybook", "execute", "--book", str(root), "-j", str(SLOTS)]
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return time.perf_counter() - start, usage.ru_maxrss / 1024


async def measure_kernels(root: Path, count: int, seconds: float) -> float:
    """Return the seconds that the same kernels take one after the other in two queues, without a book."""
    shares = share_cores(find_cores(), SLOTS)

    async def work(slot: int) -> None:
        setting = Setting(FRAMEWORKS["pytorch"], Path(sys.prefix), root, [root], cores=shares[slot])
        for number in range(slot, count, SLOTS):
            codes = cells(f"chapter-{number}", seconds)
            await run(codes, [("chapter.md", 1)] * len(codes), setting)

    start = time.perf_counter()
    await asyncio.gather(*(work(slot) for slot in range(SLOTS)))
    return time.perf_counter() - start


def main() -> None:
    """Print ratios, and the memory."""
    seconds = float(sys.argv[1]) if sys.argv[1:] else SECONDS
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_book(root, CHAPTERS, seconds)
        ours, _ = measure_polybook(root)
        kernels = asyncio.run(measure_kernels(root, CHAPTERS, seconds))
    print(f"{CHAPTERS} chapters of {seconds:g} s, {SLOTS} at a time")
    print(f"polybook            {ours:6.1f} s")
    print(f"the kernels alone   {kernels:6.1f} s")
    print(f"polybook adds       {ours / kernels - 1:6.1%}")
    for count in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            write_book(Path(folder), count, 0)
            _, memory = measure_polybook(Path(folder))
        print(f"memory, {count:3} chapters {memory:4.0f} MB")


if __name__ == "__main__":
    main()
