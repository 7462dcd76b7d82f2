"""Processes that end with the harness, however it ends."""

import ctypes
import os
import signal
import subprocess
import sys
import time

_libc = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def _die_with_parent():
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Processes:
    """What was started and is not known to have ended. Ends it on every way out of the `with` statement; should the
    harness itself be killed, the kernel ends its children."""

    def __enter__(self):
        self._running = []
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: sys.exit(130))
        return self

    def __exit__(self, *_):
        for process in reversed(self._running):
            self.end(process, signal.SIGKILL, 0)
        self._running = []

    def start(self, arguments, **options):
        process = subprocess.Popen(arguments, preexec_fn=_die_with_parent, start_new_session=True, **options)
        self._running.append(process)
        return process

    def end(self, process, number=signal.SIGTERM, patience=30):
        """Ends a process by its id and waits; what does not end in time is killed."""
        if process.poll() is None:
            process.send_signal(number)
            try:
                process.wait(patience or 10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)
        if process in self._running:
            self._running.remove(process)

    def run(self, arguments, timeout, **options):
        """Runs a program to its end and returns its exit code, output and errors."""
        process = self.start(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
        try:
            output, errors = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            output, errors = process.communicate()
            errors += f"\n{arguments[0]} took longer than {timeout} s"
        self.end(process)
        return process.returncode, output, errors


def free_port():
    """A port of loopback that nobody listens on."""
    import socket

    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_until(condition, seconds, pause=0.005):
    """Whether the condition became true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(pause)
    return False


def directory_bytes(path):
    """Bytes of a directory's files: those that occupy the disk, and of these the ones in use, which is without the zeros
    that a file ends with (space that was prepared for what comes)."""
    occupied = used = 0
    for folder, _, files in os.walk(path):
        for name in files:
            try:
                blocks = os.lstat(os.path.join(folder, name)).st_blocks * 512
                used += min(blocks, _without_zeros(os.path.join(folder, name)))
                occupied += blocks
            except FileNotFoundError:
                pass
    return occupied, used


def _without_zeros(path, step=1 << 16):
    with open(path, "rb") as file:
        end = file.seek(0, os.SEEK_END)
        while end > 0:
            begin = max(0, end - step)
            file.seek(begin)
            kept = file.read(end - begin).rstrip(b"\0")
            if kept:
                return begin + len(kept)
            end = begin
    return 0
