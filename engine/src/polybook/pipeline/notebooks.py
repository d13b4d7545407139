"""The notebooks that readers take with them: one per chapter, language, framework and service.

jupyter/<language>/<framework>/<chapter>.ipynb    for the reader's own Jupyter, whole as it is
jupyter/<language>-<framework>.zip                the same of all chapters, with the library
colab/<language>/<framework>/<chapter>.ipynb      for a hosted service, the others likewise
<library>.whl, img/...                            what those load from the site
"""

from __future__ import annotations

import base64
import io
import mimetypes
import posixpath
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..config import ChapterSettings
from ..dialect.python import imported_packages
from ..frameworks import required_libraries
from ..notebook import HostedFlavour, NotebookFlavour, for_service, to_notebook, write_notebook
from ..references import Chapter
from ..requirements import name_of
from ..services import JUPYTER, PACKED, Service
from .book import REQUIREMENTS_FOLDER, Book
from .files import write_tree
from .kept import Kept, text_of
from .wheel import find_wheel

#: Where the site has them.
NOTEBOOKS_FOLDER = "notebooks"
#: The first day that a zip file knows: equal notebooks make equal files.
_DATE = (1980, 1, 1, 0, 0, 0)
#: The level of zip files, of 9: one change in one notebook makes its file anew, and an author waits.
_COMPRESSION = 1


@dataclass(frozen=True)
class Edition:
    """A book in one language and for one framework."""

    #: The book.
    book: Book
    #: The language of its readers.
    language: str
    #: The framework whose code is in it.
    framework: str
    #: The library's wheel, if there is one.
    wheel: Path | None

    @cached_property
    def chapters(self) -> dict[str, Chapter]:
        """The chapters that there are notebooks of: with code for the framework, or without any code."""
        book = self.book
        return {
            name: chapter
            for name, chapter in book.shown(self.language).items()
            if self.framework in (book.frameworks_of(chapter) or book.config.frameworks)
        }

    def path(self, service: Service, chapter: str) -> str:
        """Return where a chapter's notebook for a service lies."""
        return f"{service.name}/{self.language}/{self.framework}/{chapter}.ipynb"

    def notebooks(self, name: str, services: Sequence[Service]) -> tuple[dict[str, str], dict[str, Path]]:
        """Return a chapter's notebooks for these services by their paths, and the images that they load."""
        book, found = self.book, {}
        words = book.config.languages[self.language].language
        selected = book.selected(self.chapters[name], self.framework)
        install = self._install(name, [cell.code for cell in selected.document.cells])
        on_gpu = book.config.chapters.get(name, ChapterSettings()).gpu
        images: dict[str, Path] = {}
        bodies = {
            is_hosted: self._body(name, selected, images, is_hosted=is_hosted)
            for is_hosted in {service.is_hosted for service in services}
        }
        for service in services:
            body = bodies[service.is_hosted]
            notebook = for_service(body, service, install, words, on_gpu=on_gpu)
            found[self.path(service, name)] = write_notebook(notebook)
        return found, images

    def _body(
        self, name: str, selected: Chapter, images: dict[str, Path], *, is_hosted: bool
    ) -> dict[str, Any]:
        """Return the notebook that the services of one kind have in common."""
        book, site = self.book, self.book.config.site_url
        index = book.index_for(self.chapters[name], self.language)
        find_image = _published_images(book, images) if site else _own_images(book)
        flavour = NotebookFlavour(name, index.bibliography_chapter, find_image)
        if is_hosted:
            pages = f"{site}/{self.language}"
            flavour = HostedFlavour(name, index.bibliography_chapter, find_image, pages)
        return to_notebook(selected, index, flavour, frozenset(self.chapters))

    def _install(self, name: str, codes: Sequence[str]) -> list[str]:
        """Return what pip has to install for a chapter's notebook, the chapter's own wishes first."""
        book, chapter = self.book, self.chapters[name]
        packages = {package for code in codes for package in imported_packages(code)}
        wheels = []
        if book.config.library in packages:
            packages = (packages | self._library_packages) - {book.config.library}
            wheels = [self._wheel_address(name)] if self.wheel else []
        wishes = required_libraries(chapter.document, self.framework, book.default_framework(chapter))
        on_gpu = book.config.chapters.get(name, ChapterSettings()).gpu
        wished = {name_of(wish) for wish in wishes}
        needed = book.requirements[self.framework].of_notebook(packages, on_gpu=on_gpu)
        return [*wishes, *(one for one in needed if name_of(one) not in wished), *wheels]

    @cached_property
    def _library_packages(self) -> set[str]:
        return imported_packages(self.book.libraries[self.framework].text)

    def _wheel_address(self, chapter: str) -> str:
        """Return where a chapter's notebook finds the library: on the site, or beside it in the zip file."""
        name = self.wheel.name if self.wheel else ""
        if self.book.config.site_url:
            return f"{self.book.config.site_url}/{NOTEBOOKS_FOLDER}/{name}"
        return posixpath.relpath(name, posixpath.dirname(chapter) or ".")

    def packed(self, notebooks: Mapping[str, str]) -> bytes:
        """Return a zip file of the notebooks for Jupyter with all that they need to run without the site."""
        contents = {f"{name}.ipynb": notebooks[self.path(JUPYTER, name)].encode() for name in self.chapters}
        pins = self.book.root / REQUIREMENTS_FOLDER / f"{self.framework}.txt"
        if pins.is_file():
            contents["requirements.txt"] = pins.read_bytes()
        if self.wheel:
            contents[self.wheel.name] = self.wheel.read_bytes()
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for name, content in contents.items():
                archive.writestr(zipfile.ZipInfo(name, _DATE), content, zipfile.ZIP_DEFLATED, _COMPRESSION)
        return packed.getvalue()


def write_notebooks(book: Book, folder: Path, kept: Kept | None = None) -> list[str]:
    """Make `folder` hold the book's notebooks and what they load.

    Args:
        book: The book.
        folder: The folder.
        kept: The notebooks of chapters that are the same as before.

    Returns:
        The notebooks' paths relative to `folder`.

    Raises:
        RenderError: The library cannot be packed.
    """
    files = notebook_files(book, kept or Kept())
    write_tree(folder, files)
    return [path for path in files if path.endswith(".ipynb")]


def notebook_files(book: Book, kept: Kept) -> dict[str, str | bytes | Path]:
    """Return the book's notebooks and what they load, by their paths.

    Raises:
        RenderError: The library cannot be packed.
    """
    wheel = find_wheel(book)
    hosting = book.config.hosting
    services = (JUPYTER, *(hosting.services if hosting else ()))
    images: dict[str, Path] = {}
    files: dict[str, str | bytes | Path] = {}
    for language in book.config.languages:
        editions = [Edition(book, language, framework, wheel) for framework in book.config.frameworks]
        made: dict[str, dict[str, str]] = {edition.framework: {} for edition in editions}
        for name, chapter in book.shown(language).items():
            make = partial(_notebooks, editions, name, services)
            notebooks, loaded = kept.get(f"notebooks/{language}/{name}", [text_of(chapter)], make)
            images |= loaded
            for framework, own in notebooks.items():
                made[framework] |= own
        for edition in editions:
            own = made[edition.framework]
            packed = zip_path(language, edition.framework)
            files |= own
            files[packed] = kept.get(f"notebooks/{packed}", list(own.values()), partial(edition.packed, own))
    return {**files, **images, **({wheel.name: wheel} if wheel else {})}


def _notebooks(
    editions: Iterable[Edition], name: str, services: Sequence[Service]
) -> tuple[dict[str, dict[str, str]], dict[str, Path]]:
    """Return a chapter's notebooks for each framework by their paths, and the images that they load."""
    found: dict[str, dict[str, str]] = {}
    images: dict[str, Path] = {}
    for edition in editions:
        if name in edition.chapters:
            found[edition.framework], loaded = edition.notebooks(name, services)
            images |= loaded
    return found, images


def notebook_addresses(book: Book, language: str) -> dict[str, list[tuple[str, str, str]]]:
    """Return where readers of a language find the notebooks of each page, as (service, framework, address).

    What the site has itself is a path on the site.
    """
    hosting = book.config.hosting
    found: dict[str, list[tuple[str, str, str]]] = {name: [] for name in book.shown(language)}
    for framework in book.config.frameworks:
        edition = Edition(book, language, framework, None)
        packed = f"{NOTEBOOKS_FOLDER}/{zip_path(language, framework)}"
        for name in edition.chapters:
            own = f"{NOTEBOOKS_FOLDER}/{edition.path(JUPYTER, name)}"
            found[name] += [(JUPYTER.name, framework, own), (PACKED, framework, packed)]
            if hosting:
                for service in hosting.services:
                    address = service.address(hosting.place(edition.path(service, name)))
                    found[name].append((service.name, framework, address))
    return found


def zip_path(language: str, framework: str) -> str:
    """Return where all notebooks for Jupyter in one language and framework lie in one file."""
    return f"{JUPYTER.name}/{language}-{framework}.zip"


def _published_images(book: Book, images: dict[str, Path]) -> Callable[[str], str | None]:
    """Return what gives an image's address on the site."""

    def find(path: str) -> str | None:
        name = find_file(book.root, path, "", images)
        return f"{book.config.site_url}/{NOTEBOOKS_FOLDER}/{quote(name)}" if name else None

    return find


def _own_images(book: Book) -> Callable[[str], str | None]:
    """Return what gives an image as an address that holds it, for notebooks that nothing lies beside."""

    def find(path: str) -> str | None:
        found: dict[str, Path] = {}
        if find_file(book.root, path, "", found) is None:
            return None
        kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
        (file,) = found.values()
        return f"data:{kind};base64,{base64.b64encode(file.read_bytes()).decode()}"

    return find


def find_file(root: Path, path: str, here: str, found: dict[str, Path]) -> str | None:
    """Return the address of one of the book's files seen from the folder `here`, or `None` without it.

    Args:
        root: The book's folder.
        path: The file's path in the book; one that leaves the book is put into `outside/`.
        here: The folder, relative to the tree that the file will be copied to.
        found: Gets the file under its path in that tree.
    """
    file = root / path
    try:
        if not file.is_file():
            return None
    except OSError:  # a name too long for the disk
        return None
    name = f"outside/{path.replace('../', '')}" if path.startswith("../") else path
    found[name] = file
    return posixpath.relpath(name, here or ".")
