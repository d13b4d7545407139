"""The way to the corpus: a folder of the reader's choice, the cache, the network, the story."""

import hashlib
import http.client
import io
import socket
from urllib.request import urlopen

import pytest

TEXT = "The Time Traveller (for so it will be convenient to speak of him)\n"
OTHER = b"<html>Welcome to our hotel! Please log in.</html>"


def sha1(content):
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


@pytest.fixture
def content(publish):
    return publish(TEXT)


@pytest.fixture
def cached(home):
    """Where the cache would keep the book."""
    return home / ".cache" / "d2l" / "timemachine.txt"


@pytest.fixture
def serve(d2l, monkeypatch):
    """Answers every request with a content, or with an error; returns the list of requests."""

    def serve(answer):
        requests = []

        def urlopen(url, timeout):
            requests.append((url, timeout))
            if isinstance(answer, Exception):
                raise answer
            return io.BytesIO(answer)

        monkeypatch.setattr(d2l.urllib.request, "urlopen", urlopen)
        return requests

    return serve


@pytest.fixture
def data_folder(monkeypatch, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("D2L_DATA", str(folder))
    return folder


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
    assert requests == [(d2l.DATA_HUB["time_machine"][0], 5)]
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
        OTHER,
        b"",
        OSError("refused"),
        TimeoutError("timed out"),
        http.client.IncompleteRead(b"The Time", 100),
        http.client.BadStatusLine("?"),
    ],
    ids=repr,
)
class TestWhenTheAnswerIsOfNoUse:
    def test_a_good_file_stays(self, d2l, content, serve, tmp_path, answer):
        serve(answer)
        good = write(tmp_path / "kept.txt", content)
        with pytest.raises(OSError, match=r"."):
            d2l.fetch("http://example.org/kept.txt", sha1(content), good)
        assert good.read_bytes() == content
        assert [path.name for path in tmp_path.glob("kept*")] == ["kept.txt"]

    def test_nothing_is_left_behind(self, d2l, content, serve, cached, answer):
        serve(answer)
        with pytest.raises(OSError, match="cannot get http"):
            d2l.download("time_machine")
        assert not cached.parent.exists() or list(cached.parent.iterdir()) == []

    def test_the_story_takes_over_and_one_line_says_so(self, d2l, serve, story, answer, capsys):
        serve(answer)
        assert d2l.TimeMachine(batch_size=2, num_steps=3)._download() == story
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == 2  # one for the object, one for the text
        assert lines[0] == lines[1]
        assert lines[0].startswith(f"cannot get {d2l.DATA_HUB['time_machine'][0]}: ")
        assert lines[0].endswith(". A short story takes the place of the book.")


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
