"""What one step of training gives back stays with the process, for the next step."""

import platform
import types

import pytest

#: Takes and gives back a large block ten times; prints how many pages the system had to look up.
PROGRAM = """
import resource, threading
{imports}

def take_and_give_back():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        bytearray(80 * 2**20)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)

{call}
"""
IN_MAIN_THREAD = "take_and_give_back()"
IN_ANOTHER_THREAD = "threading.Thread(target=take_and_give_back).start()"
#: Pages of the block.
PAGES = 80 * 2**20 // 4096

needs_glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")


@needs_glibc
def test_memory_is_asked_of_the_system_once(module, run_script):
    program = PROGRAM.format(imports=f"import {module}", call=IN_MAIN_THREAD)
    assert int(run_script(program)) < 2 * PAGES


@needs_glibc
def test_threads_share_what_is_kept(module, framework, run_script):
    if framework == "tensorflow":
        pytest.skip("importing TensorFlow starts threads, which have heaps of their own by then")
    program = PROGRAM.format(imports=f"import {module}", call=IN_ANOTHER_THREAD)
    assert int(run_script(program)) < 2 * PAGES


@needs_glibc
@pytest.mark.parametrize("call", [IN_MAIN_THREAD, IN_ANOTHER_THREAD])
def test_without_the_library_memory_is_asked_for_each_time(run_script, call):
    assert int(run_script(PROGRAM.format(imports="", call=call))) > 9 * PAGES


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
