"""What a reader does first with a notebook: the cell that installs, and the imports after it.

Each runs in a fresh environment that lacks `d2l` only: what the framework's environment has is lent to it,
so that nothing but the library's wheel is really installed, from the site on this machine.
"""

from __future__ import annotations

import functools
import json
import shutil
import subprocess
import threading
import zipfile
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from polybook.pipeline.book import load_book
from polybook.pipeline.notebooks import write_notebooks
from polybook.services import HOSTED

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
FRAMEWORKS = load_book(ROOT).config.frameworks

#: Runs a notebook's first cells as Jupyter does, and says which `d2l` they have got.
RUN = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for code in json.load(sys.stdin):
    shell.run_cell(code).raise_error()
print("d2l:", shell.user_ns["d2l"].__file__)
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The notebooks of this book as they are on a site, which is served on this machine."""
    folder = tmp_path_factory.mktemp("site")
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        root = copy_book(tmp_path_factory.mktemp("copy") / "book")
        config = (ROOT / "_config.yml").read_text(encoding="utf-8")
        config += "  notebooks: {repository: someone/books}\n"
        config += f"html: {{baseurl: 'http://127.0.0.1:{server.server_port}'}}\n"
        (root / "_config.yml").write_text(config, encoding="utf-8")
        write_notebooks(load_book(root), folder / "notebooks")
        yield folder / "notebooks"
        server.shutdown()


def copy_book(folder: Path) -> Path:
    """Return a folder with a copy of this book, without what was made of it."""
    left_out = {"_build", "outputs", "engine", "tests"}
    shutil.copytree(
        ROOT, folder, ignore=lambda _, names: [n for n in names if n in left_out or n.startswith(".")]
    )
    return folder


def environment(framework: str, folder: Path) -> Path:
    """Return the interpreter of a new environment that is lent a framework's packages."""
    lender = ROOT / ".venvs" / framework
    if not (lender / "bin" / "python").is_file():
        pytest.skip(f"there is no .venvs/{framework}")
    subprocess.run([lender / "bin" / "python", "-m", "venv", "--without-pip", folder], check=True)
    packages = next((folder / "lib").glob("python*/site-packages"))
    lent = next((lender / "lib").glob("python*/site-packages"))
    (packages / "lent.pth").write_text(f"{lent}\n")
    return folder / "bin" / "python"


def first_cells(notebook: Path, count: int = 3) -> list[str]:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"][:count]


def run(python: Path, cells: list[str], folder: Path) -> str:
    """Return where the cells have found `d2l`."""
    done = subprocess.run(
        [python, "-c", RUN], input=json.dumps(cells), cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("service", "framework"),
    [*((service, FRAMEWORKS[0]) for service in HOSTED), *(("colab", name) for name in FRAMEWORKS[1:])],
)
def test_first_cells_of_a_hosted_notebook(site, tmp_path, service, framework):
    python = environment(framework, tmp_path / "venv")
    cells = first_cells(site / service / "en" / framework / "language-model.ipynb")
    assert cells[0].splitlines()[1].startswith("%pip install --quiet ")
    assert str(tmp_path / "venv") in run(python, cells, tmp_path)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_first_cells_of_a_downloaded_notebook(tmp_path, framework):
    """A reader of a site that nobody has published takes the library from the zip file."""
    write_notebooks(load_book(copy_book(tmp_path / "book")), tmp_path / "notebooks")
    folder = tmp_path / "unpacked"
    with zipfile.ZipFile(tmp_path / "notebooks" / "jupyter" / f"en-{framework}.zip") as packed:
        packed.extractall(folder)
    install, *imports = first_cells(folder / "language-model.ipynb")
    assert all(line.startswith("# ") for line in install.splitlines())
    python = environment(framework, tmp_path / "venv")
    cells = [install.splitlines()[1].removeprefix("# "), *imports]
    assert str(tmp_path / "venv") in run(python, cells, folder)
