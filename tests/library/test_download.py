"""The way to the corpus: a folder of the reader's choice, the cache, the network, the story."""

import hashlib
import io
import os
import re
import socket
import stat
import tarfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import urlopen

import pytest

TEXT = "The Time Traveller (for so it will be convenient to speak of him)\n"
OTHER = b"<html>Welcome to our hotel! Please log in.</html>"


def sha1(content):
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


class Answer:
    """What a server has at all its addresses, and how well it hands it over."""

    def __init__(self, content, *, status=200, breaks_after=None, ranges=True, raw=None):
        self.content = content
        self.status = status
        #: Number of bytes after which the connection ends.
        self.breaks_after = breaks_after
        self.ranges = ranges
        #: Bytes that are sent instead of an answer.
        self.raw = raw

    def give(self, handler):
        if self.raw is not None:
            handler.wfile.write(self.raw)
            return
        if self.status != 200:
            handler.send_error(self.status)
            return
        content, status = self.content, 200
        asked = handler.headers["Range"]
        if asked and self.ranges:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            content, status = content[start:], 206
            if not content:
                handler.send_error(416)
                return
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content[: self.breaks_after])


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        answers, requests = self.server.answers, self.server.requests
        requests.append(self.headers["Range"])
        answers[min(len(requests), len(answers)) - 1].give(self)

    def log_message(self, *args):
        pass


@pytest.fixture
def content(publish):
    return publish(TEXT)


@pytest.fixture
def cached(home):
    """Where the cache would keep the book."""
    return home / ".cache" / "d2l" / "timemachine.txt"


@pytest.fixture
def server(d2l, monkeypatch):
    """A server on this machine, and the way to it."""
    monkeypatch.setattr(d2l.urllib.request, "urlopen", urlopen)
    monkeypatch.setenv("no_proxy", "*")
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.url = f"http://127.0.0.1:{server.server_port}/"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def serve(d2l, server, monkeypatch):
    """Makes the server the one of the book, with one answer after the other, the last one for good.

    Returns the list of requests: of each, the range that it asked for.
    """

    def serve(*answers):
        server.answers = [each if isinstance(each, Answer) else Answer(each) for each in answers]
        server.requests = []
        digest = d2l.DATA_HUB["time_machine"][1]
        monkeypatch.setitem(d2l.DATA_HUB, "time_machine", (f"{server.url}timemachine.txt", digest))
        return server.requests

    return serve


@pytest.fixture(autouse=True)
def pauses(d2l, monkeypatch):
    """The pauses between attempts, which the tests do not wait for."""
    pauses = []
    monkeypatch.setattr(d2l.time, "sleep", pauses.append)
    return pauses


@pytest.fixture
def data_folder(monkeypatch, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("D2L_DATA", str(folder))
    return folder


def address(d2l, name):
    """Return the address of a file on the book's server."""
    return d2l.DATA_HUB["time_machine"][0].replace("timemachine.txt", name)


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_the_readers_folder_comes_first(d2l, content, serve, data_folder, cached):
    requests = serve(content)
    write(cached, content)
    mine = write(data_folder / "timemachine.txt", content)
    assert d2l.download("time_machine") == mine
    assert requests == []


def test_then_the_cache(d2l, content, serve, data_folder, cached):
    requests = serve(content)
    write(cached, content)
    assert d2l.download("time_machine") == cached
    assert requests == []


def test_then_the_network_once(d2l, content, serve, cached):
    requests = serve(content)
    assert d2l.download("time_machine") == cached
    assert d2l.download("time_machine") == cached
    assert requests == [None]
    assert cached.read_bytes() == content
    assert [path.name for path in cached.parent.iterdir()] == ["timemachine.txt"]


def test_the_cache_may_be_elsewhere(d2l, content, serve, cached, tmp_path):
    serve(content)
    assert d2l.download("time_machine", tmp_path / "here") == tmp_path / "here" / "timemachine.txt"
    assert d2l.TimeMachine(1, 1, root=str(tmp_path / "here"))._download() == TEXT
    assert not cached.exists()


def test_a_file_of_the_readers_with_another_content_is_neither_used_nor_touched(
    d2l, content, serve, data_folder, cached
):
    serve(content)
    mine = write(data_folder / "timemachine.txt", OTHER)
    assert d2l.download("time_machine") == cached
    assert mine.read_bytes() == OTHER


def test_a_damaged_file_in_the_cache_is_replaced(d2l, content, serve, cached):
    serve(content)
    write(cached, content[:20])
    assert d2l.download("time_machine").read_bytes() == content


@pytest.mark.parametrize(
    "answer",
    [
        Answer(OTHER),
        Answer(b""),
        Answer(b"", status=404),
        Answer(b"", status=503),
        Answer(b"", raw=b""),
        Answer(b"", raw=b"What?\r\n\r\n"),
        Answer(OTHER, breaks_after=0),
    ],
    ids=["other", "empty", "404", "503", "nothing", "nonsense", "broken"],
)
class TestWhenTheAnswerIsOfNoUse:
    def test_a_good_file_stays(self, d2l, content, serve, tmp_path, answer):
        serve(answer)
        good = write(tmp_path / "kept.txt", content)
        with pytest.raises(OSError, match=r"."):
            d2l.fetch(address(d2l, "kept.txt"), sha1(content), good)
        assert good.read_bytes() == content

    def test_one_line_says_what_to_do(self, d2l, content, serve, cached, answer):
        serve(answer)
        with pytest.raises(OSError, match="cannot get http") as raised:
            d2l.download("time_machine")
        assert str(raised.value).endswith(f"if you have the file, put it into {cached.parent}")
        assert "\n" not in str(raised.value)
        assert all(path.stat().st_size == 0 for path in cached.parent.iterdir())

    def test_the_story_takes_over_and_one_line_says_so(self, d2l, serve, story, answer, capsys):
        serve(answer)
        assert d2l.TimeMachine(batch_size=2, num_steps=3)._download() == story
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == 2  # one for the object, one for the text
        assert lines[0] == lines[1]
        assert lines[0].startswith(f"cannot get {d2l.DATA_HUB['time_machine'][0]}: ")
        assert lines[0].endswith(". A short story takes the place of the book.")


class TestATransferThatBreaksOff:
    def test_is_taken_up_where_it_ended(self, d2l, content, serve, cached, pauses):
        requests = serve(Answer(content, breaks_after=20), Answer(content, breaks_after=10), content)
        assert d2l.download("time_machine").read_bytes() == content
        assert requests == [None, "bytes=20-", "bytes=30-"]
        assert pauses == [0.5, 2]
        assert [path.name for path in cached.parent.iterdir()] == ["timemachine.txt"]

    def test_is_taken_up_by_the_next_call(self, d2l, content, serve, cached):
        serve(Answer(content, breaks_after=20), Answer(b"", status=503))
        with pytest.raises(OSError, match="503"):
            d2l.download("time_machine")
        assert (cached.parent / "timemachine.txt.part").read_bytes() == content[:20]
        requests = serve(content)
        assert d2l.download("time_machine").read_bytes() == content
        assert requests == ["bytes=20-"]

    def test_begins_anew_where_the_server_knows_no_ranges(self, d2l, content, serve, cached):
        write(cached.with_name("timemachine.txt.part"), content[:20])
        requests = serve(Answer(content, ranges=False))
        assert d2l.download("time_machine").read_bytes() == content
        assert requests == ["bytes=20-"]

    @pytest.mark.parametrize("length", [20, 1000])
    def test_begins_anew_where_the_beginning_is_wrong(self, d2l, content, serve, cached, length):
        write(cached.with_name("timemachine.txt.part"), b"x" * length)
        requests = serve(content)
        assert d2l.download("time_machine").read_bytes() == content
        assert requests == [f"bytes={length}-", None]
        assert [path.name for path in cached.parent.iterdir()] == ["timemachine.txt"]

    def test_is_kept_when_the_program_is_stopped(self, d2l, content, serve, cached, monkeypatch):
        def stop(response, file):
            file.write(response.read(20))
            raise KeyboardInterrupt

        requests = serve(content)
        with monkeypatch.context() as patch:
            patch.setattr(d2l.shutil, "copyfileobj", stop)
            with pytest.raises(KeyboardInterrupt):
                d2l.download("time_machine")
        assert d2l.download("time_machine").read_bytes() == content
        assert requests == [None, "bytes=20-"]


def test_a_server_that_says_no_is_not_asked_again(d2l, content, serve, pauses):
    requests = serve(Answer(b"", status=404))
    with pytest.raises(OSError, match="404"):
        d2l.download("time_machine")
    assert (requests, pauses) == ([None], [])


def test_an_address_does_instead_of_a_name(d2l, content, serve, tmp_path):
    requests = serve(content)
    url = address(d2l, "a/book.txt?version=2")
    path = d2l.download(url, tmp_path / "here", sha1(content))
    assert (path, path.read_bytes()) == (tmp_path / "here" / "book.txt", content)
    assert d2l.download(url, tmp_path / "here") == path  # whatever it holds
    assert requests == [None]
    with pytest.raises(OSError, match="unexpected content"):
        d2l.download(url, tmp_path / "here", sha1(OTHER))
    assert path.read_bytes() == content


def test_a_file_without_a_digest_is_never_put_together(d2l, content, serve, tmp_path):
    write(tmp_path / "book.txt.part", b"From another version")
    requests = serve(content)
    assert d2l.download(address(d2l, "book.txt"), tmp_path).read_bytes() == content
    assert requests == [None]


def test_a_file_that_cannot_be_written_completely_does_not_appear(d2l, content, serve, monkeypatch, tmp_path):
    def run_out_of_space(response, file):
        file.write(response.read(10))
        raise OSError("no space left on device")

    serve(content)
    old = write(tmp_path / "kept.txt", OTHER)
    monkeypatch.setattr(d2l.shutil, "copyfileobj", run_out_of_space)
    with pytest.raises(OSError, match="no space left"):
        d2l.fetch(address(d2l, "kept.txt"), sha1(content), old)
    assert old.read_bytes() == OTHER


def test_whoever_reads_the_old_file_goes_on_reading_it(d2l, content, serve, tmp_path):
    serve(content)
    path = write(tmp_path / "book.txt", OTHER)
    os.link(path, tmp_path / "open.txt")  # what a program has that opened it before
    d2l.fetch(address(d2l, "book.txt"), sha1(content), path)
    assert path.read_bytes() == content
    assert (tmp_path / "open.txt").read_bytes() == OTHER


def test_a_part_that_nothing_can_be_compared_with_is_not_kept(d2l, content, serve, tmp_path):
    serve(Answer(content, breaks_after=20), Answer(b"", status=503))
    with pytest.raises(OSError, match="503"):
        d2l.download(address(d2l, "book.txt"), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_cache_that_cannot_be_written_leads_to_the_story(d2l, publish, serve, home, capsys):
    serve(publish(TEXT))
    write(home, b"a file where a folder should be")
    data = d2l.TimeMachine(batch_size=2, num_steps=3)
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert data._download() != TEXT


def test_nothing_is_printed_when_the_book_is_there(d2l, book, capsys):
    book(TEXT)
    assert d2l.TimeMachine(batch_size=2, num_steps=3)._download() == TEXT
    assert capsys.readouterr().out == ""


def test_an_unknown_name_is_a_key_error(d2l):
    with pytest.raises(KeyError, match="space_machine"):
        d2l.download("space_machine")


def test_a_silent_server_is_given_up_on(d2l, monkeypatch, tmp_path):
    monkeypatch.setattr(d2l.urllib.request, "urlopen", urlopen)
    monkeypatch.setenv("no_proxy", "*")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/book.txt"
        with pytest.raises(OSError, match="timed out"):
            d2l.fetch(url, sha1(OTHER), tmp_path / "book.txt", timeout=0.2)
    assert not (tmp_path / "book.txt").exists()


def test_the_story_is_long_enough_for_the_chapters(d2l):
    data = d2l.TimeMachine(batch_size=1024, num_steps=32)
    assert (data.num_train, data.num_val) == (10000, 5000)
    assert len(data.vocab) == 28


def make_zip(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


def make_tar(path, members):
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
        for name, text in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return path


MAKERS = {"words.zip": make_zip, "words.tar": make_tar, "words.tar.gz": make_tar}
each_archive = pytest.mark.parametrize("name", MAKERS)


class TestArchives:
    @each_archive
    def test_are_unpacked_beside_themselves(self, d2l, serve, name, tmp_path, home):
        archive = MAKERS[name](tmp_path / name, {"words/en/a.txt": "one", "words/b.txt": "two"})
        serve(archive.read_bytes())
        folder = d2l.download_extract(address(d2l, name))
        assert folder == home / ".cache" / "d2l" / "words"
        assert (folder / "en" / "a.txt").read_text() == "one"
        assert (folder / "b.txt").read_text() == "two"
        assert d2l.download_extract(address(d2l, name)) == folder

    def test_may_have_a_folder_of_another_name(self, d2l, serve, tmp_path, home):
        serve(make_zip(tmp_path / "v2.zip", {"words/a.txt": "one"}).read_bytes())
        folder = d2l.download_extract(address(d2l, "v2.zip"), "words")
        assert folder == home / ".cache" / "d2l" / "words"
        assert (folder / "a.txt").read_text() == "one"

    @each_archive
    @pytest.mark.parametrize("evil", ["../evil.txt", "words/../../evil.txt", "/tmp/evil.txt"])  # noqa: S108
    def test_do_not_leave_their_folder(self, d2l, name, evil, tmp_path):
        archive = MAKERS[name](tmp_path / name, {"words/a.txt": "one", evil: "two"})
        with pytest.raises(ValueError, match=re.escape(f"refused to unpack {evil!r}")):
            d2l.unpack(archive, tmp_path / "here")
        assert [path.name for path in tmp_path.iterdir()] == [name]

    @pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
    def test_hold_no_links_and_no_devices(self, d2l, kind, tmp_path):
        with tarfile.open(tmp_path / "words.tar", "w") as archive:
            member = tarfile.TarInfo("words/link")
            member.type, member.linkname = kind, "a.txt"
            archive.addfile(member)
        with pytest.raises(ValueError, match="refused to unpack 'words/link'"):
            d2l.unpack(tmp_path / "words.tar", tmp_path / "here")
        assert not (tmp_path / "here").exists()

    def test_hold_no_links_as_zip_either(self, d2l, tmp_path):
        link = zipfile.ZipInfo("words/link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        make_zip(tmp_path / "words.zip", {link: "/etc"})
        with pytest.raises(ValueError, match="refused to unpack 'words/link'"):
            d2l.unpack(tmp_path / "words.zip", tmp_path / "here")
        assert not (tmp_path / "here").exists()

    def test_are_not_followed_through_links_of_the_folder(self, d2l, tmp_path):
        (tmp_path / "here").mkdir()
        (tmp_path / "here" / "words").symlink_to(tmp_path / "elsewhere")
        archive = make_zip(tmp_path / "words.zip", {"words/a.txt": "one"})
        with pytest.raises(ValueError, match="leaves the folder"):
            d2l.unpack(archive, tmp_path / "here")

    def test_are_archives(self, d2l, tmp_path):
        path = write(tmp_path / "words.zip", OTHER)
        with pytest.raises(ValueError, match=r"is no archive$"):
            d2l.unpack(path, tmp_path)

    def test_may_hold_archives(self, d2l, tmp_path):
        inner = make_zip(tmp_path / "inner.zip", {"a.txt": "one"}).read_bytes()
        with tarfile.open(tmp_path / "words.tar", "w") as archive:
            member = tarfile.TarInfo("words/inner.zip")
            member.size = len(inner)
            archive.addfile(member, io.BytesIO(inner))
        d2l.unpack(tmp_path / "words.tar", tmp_path / "here")
        assert (tmp_path / "here" / "words" / "inner.zip").read_bytes() == inner

    @pytest.mark.parametrize("name", ["words.tar", "words.tar.gz"])
    def test_that_break_off_leave_nothing(self, d2l, name, tmp_path):
        noise = "".join(sha1(b"%d" % i) for i in range(450))  # does not shrink to nothing
        whole = MAKERS[name](tmp_path / name, {"words/a.txt": noise, "words/b.txt": noise}).read_bytes()
        for length in (1, 15, 600, len(whole) // 3, len(whole) // 2 + 5000):
            archive = write(tmp_path / name, whole[:length])
            with pytest.raises(ValueError, match=r"is damaged: |is no archive$"):
                d2l.unpack(archive, tmp_path / "here")
            assert not (tmp_path / "here").exists()

    def test_with_wrong_bytes_leave_nothing(self, d2l, tmp_path):
        archive = make_zip(tmp_path / "words.zip", {"words/a.txt": "one", "words/b.txt": "two"})
        archive.write_bytes(archive.read_bytes().replace(b"two", b"six", 1))
        with pytest.raises(ValueError, match=r"words\.zip is damaged: bad content of 'words/b.txt'"):
            d2l.unpack(archive, tmp_path / "here")
        assert not (tmp_path / "here").exists()

    def test_give_nobody_rights(self, d2l, tmp_path):
        with tarfile.open(tmp_path / "words.tar", "w") as archive:
            member = tarfile.TarInfo("words")
            member.mode = 0o6777
            archive.addfile(member)
        d2l.unpack(tmp_path / "words.tar", tmp_path / "here")
        assert not (tmp_path / "here" / "words").stat().st_mode & 0o6022
