"""What one step of training gives back stays with the process, for the next step."""

import platform
import types

import pytest

#: Takes and gives back a large block ten times; prints how often each of its pages was asked for.
#: Another block stays, so that the two do not fit into one of the heaps, of 64 MB, that threads have.
PROGRAM = """
import resource, threading

def take_and_give_back():
    bytearray(2**16)  # a thread has its heap from its first block on
    imported.wait()
    kept = bytearray(20 * 2**20)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        bytearray({megabytes} * 2**20)
    print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / ({megabytes} * 2**8))

imported, thread = threading.Event(), threading.Thread(target=take_and_give_back)
{begin}
{imports}
imported.set()
{end}
"""
#: Where it is done: a kernel starts threads before the library is imported, a framework after it.
WHERE = {
    "main thread": {"begin": "", "end": "take_and_give_back()", "megabytes": 150},
    "earlier thread": {"begin": "thread.start()", "end": "thread.join()", "megabytes": 50},
    "later thread": {"begin": "", "end": "thread.start()", "megabytes": 150},
}

needs_glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")


@needs_glibc
@pytest.mark.parametrize("where", WHERE)
def test_memory_is_asked_of_the_system_once(module, framework, run_script, where):
    if (framework, where) == ("tensorflow", "later thread"):
        pytest.skip("importing TensorFlow makes heaps of threads, which are too small for the block")
    program = PROGRAM.format(imports=f"import {module}", **WHERE[where])
    assert float(run_script(program)) < 2


@needs_glibc
@pytest.mark.parametrize("where", WHERE)
def test_without_the_library_memory_is_asked_for_each_time(run_script, where):
    assert float(run_script(PROGRAM.format(imports="", **WHERE[where]))) > 9


def test_other_systems_are_left_alone(d2l, monkeypatch):
    def refuse(name):
        raise AssertionError("nothing is asked of the C library")

    monkeypatch.setattr(d2l.sys, "platform", "darwin")
    monkeypatch.setattr(d2l.ctypes, "CDLL", refuse)
    d2l.keep_memory()


def test_a_c_library_without_the_options_is_left_alone(d2l, monkeypatch):
    monkeypatch.setattr(d2l.sys, "platform", "linux")
    monkeypatch.setattr(d2l.ctypes, "CDLL", lambda name: types.SimpleNamespace())
    d2l.keep_memory()
