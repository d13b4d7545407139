"""What an author sees while writing: the new page, or what is wrong above the old one."""

from __future__ import annotations

import functools
import json
import socket
import threading
from http.server import HTTPServer, ThreadingHTTPServer
from urllib.request import urlopen

import pytest

from polybook.pipeline.live import EVENTS, SCRIPT, Live, LiveHandler
from polybook.pipeline.serve import rebuild
from polybook.pipeline.workers import Workers

FILES = {
    "_config.yml": """\
title: Two
author: A
polybook:
  source: en
  languages: {en: chapters/en, fr: chapters/fr}
  frameworks: [pytorch]
""",
    "_toc.yml": "format: jb-book\nroot: index\n",
    "chapters/en/index.md": "# Title\n\nOld text.\n",
    "chapters/fr/index.md": "# Titre\n\nVieux texte.\n",
}


@pytest.fixture
def page(tmp_path):
    """A page that is being served."""
    path = tmp_path / "en" / "index.html"
    path.parent.mkdir()
    path.write_text("<html><body>Old</body></html>")
    return path


@pytest.fixture
def live():
    return Live()


@pytest.fixture
def address(page, live):
    """Where the page's site is served."""
    handler = functools.partial(LiveHandler, live=live, directory=str(page.parents[1]))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def read(address):
    with urlopen(address, timeout=20) as answer:  # noqa: S310  # ours, on loopback
        return answer.read().decode()


def test_a_page_gets_the_script_and_its_file_does_not(address, page):
    assert f'Old<script src="{SCRIPT}"></script></body>' in read(f"{address}/en/index.html")
    assert "script" not in page.read_text()
    assert "EventSource" in read(address + SCRIPT)


def test_a_browser_that_asks_for_an_icon_sees_no_error(address):
    with urlopen(f"{address}/favicon.ico", timeout=20) as answer:  # noqa: S310  # ours, on loopback
        assert (answer.status, answer.read()) == (204, b"")


@pytest.mark.parametrize("name", ["index.html", "index.bin"])
def test_a_browser_that_leaves_in_the_middle_is_not_worth_a_word(page, live, capsys, name):
    page.with_name(name).write_bytes(bytes(20_000_000))
    handler = functools.partial(LiveHandler, live=live, directory=str(page.parents[1]))
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        browser = socket.create_connection(server.server_address)
        browser.sendall(f"GET /en/{name} HTTP/1.0\r\n\r\n".encode())
        threading.Thread(target=lambda: (browser.recv(10), browser.close())).start()
        server.handle_request()
    assert capsys.readouterr().err == ""


def test_other_files_are_served_as_they_are(address, page):
    (page.parent / "data.json").write_text("</body>")
    assert read(f"{address}/en/data.json") == "</body>"


def test_a_browser_learns_what_is_wrong_and_that_its_page_is_new(address, page, live):
    live.tell(["first"])
    with urlopen(f"{address}{EVENTS}?page=/en/index.html", timeout=20) as stream:  # noqa: S310
        assert event(stream) == ("findings", ["first"])
        assert live.open_languages() == {"en"}
        live.tell(["second"])
        assert event(stream) == ("findings", ["second"])
        page.write_text("<html><body>New</body></html>")
        live.tell([])
        assert event(stream) == ("built", None)
        live.tell([])
        assert event(stream) == ("findings", [])


def event(stream):
    """Return the next event of a stream and its data."""
    name = stream.readline().decode().removeprefix("event: ").strip()
    data = stream.readline().decode().removeprefix("data: ").strip()
    stream.readline()
    return name, json.loads(data) if data else None


def test_the_browser_that_is_gone_has_no_page_open(live, page):
    events = live.events("/en/index.html", page)
    next(events)
    assert live.open_languages() == {"en"}
    events.close()
    assert live.open_languages() == set()


def test_the_open_language_is_built_first_and_errors_leave_the_site_as_it_was(write_book):
    root, live, changed = write_book(FILES), Live(), threading.Event()
    built = root / "_build" / "html"
    with Workers(2, 2) as workers:
        assert rebuild(root, live, workers, changed, {}) == []
        assert "Vieux texte" in (built / "fr/index.html").read_text(encoding="utf-8")
        events = live.events("/fr/index.html", built / "fr/index.html")
        assert next(events) == "event: findings\ndata: []\n\n"

        changed.set()  # the book changes again while it is built: the other language waits
        for tag in ("en", "fr"):
            (root / f"chapters/{tag}/index.md").write_text("# T\n\nNew text.\n", encoding="utf-8")
        assert rebuild(root, live, workers, changed, {}) == []
        assert next(events).startswith("event: built")
        assert "New text" in (built / "fr/index.html").read_text(encoding="utf-8")
        assert "Old text" in (built / "en/index.html").read_text(encoding="utf-8")

        (root / "_config.yml").write_text("title: [", encoding="utf-8")
        [finding] = rebuild(root, live, workers, changed, {})
        assert json.loads(next(events).splitlines()[1].removeprefix("data: ")) == [str(finding)]
        assert str(finding).startswith("_config.yml:1: B005")
        assert "New text" in (built / "fr/index.html").read_text(encoding="utf-8")


CELL = "```{.python .input}\n#@tab all\nprint(1)\n```\n"


def test_a_chapter_with_an_error_of_syntax_keeps_its_page(write_book):
    files = FILES | {
        "_toc.yml": "format: jb-book\nroot: index\nchapters: [{file: other}]\n",
        "chapters/en/other.md": f"# Other\n\n{CELL}\n## Last\n:label:`sec_last`\n",
        "chapters/en/index.md": "# Title\n\nOld text, :numref:`sec_last`.\n",
    }
    root, live, good = write_book(files), Live(), {}
    page, other = (root / "_build/html/en" / name for name in ("index.html", "other.html"))
    chapter = root / "chapters/en/other.md"

    with Workers(2, 2) as workers:

        def errors():
            found = rebuild(root, live, workers, threading.Event(), good)
            return [str(one).split()[:2] for one in found if not one.is_note]

        assert errors() == []
        before = other.read_bytes()
        unclosed = files["chapters/en/other.md"].replace("print(1)\n```", "print(1)")
        chapter.write_text(unclosed, encoding="utf-8")
        (root / "chapters/en/index.md").write_text(files["chapters/en/index.md"].replace("Old", "New"))
        assert errors() == [["chapters/en/other.md:3:", "D001"]]
        assert other.read_bytes() == before
        assert "New text" in page.read_text(encoding="utf-8")
        assert "other.html#sec-last" in page.read_text(encoding="utf-8")

        chapter.write_text(files["chapters/en/other.md"].replace("print(1)", "print(2)"), encoding="utf-8")
        assert errors() == []
        assert other.read_bytes() != before
