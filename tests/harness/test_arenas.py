"""How much address space OS threads take does not depend on the machine."""

from __future__ import annotations

import sys

import pytest

from grader.harness.limits import ARENAS_LIMIT
from tests.harness.small import Warm

# Counts the arenas of the C library while 48 OS threads hold some memory each.
COUNTS = """
import ctypes, threading

def chat(thread_id, text):
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "malloc_info"):
        return "none"
    libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    libc.fopen.restype, libc.fclose.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    libc.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
    all_in, told = threading.Barrier(49), threading.Event()

    def allocates():
        libc.malloc(5000)
        all_in.wait()
        told.wait()

    threads = [threading.Thread(target=allocates) for _ in range(48)]
    for thread in threads:
        thread.start()
    all_in.wait()
    file = libc.fopen(b"arenas.xml", b"w")
    libc.malloc_info(0, file)
    libc.fclose(file)
    told.set()
    return str(open("arenas.xml").read().count("<heap nr="))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is one of Linux")
def test_os_threads_share_arenas(light: Warm) -> None:
    """48 OS threads have no more arenas than the limit allows, on any machine"""
    reply = light.history(COUNTS).replies[0]
    if reply.value == "none":
        pytest.skip("no C library that counts its arenas; glibc does")
    assert 1 <= int(reply.value) <= ARENAS_LIMIT
