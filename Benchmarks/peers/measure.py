"""One measurement: a load against a server, with the processor time of both and of everybody else."""

import json
import os
import signal
import subprocess
import time

from machine import Usage
from processes import wait_until


class Failure(Exception):
    """A measurement that did not come about, and why."""


class Loads:
    """Runs the load generator."""

    def __init__(self, processes, program):
        self.processes = processes
        self.program = program

    def run(self, server, operation, seconds, clients=1, **more):
        """Runs one load and returns what it printed, with `cpu` (of the server), `foreign` and `resident`."""
        words = [self.program, server.protocol, operation, "--port", server.port, "--seconds", seconds]
        for name, value in {"clients": clients, **more}.items():
            words += ["--" + name.replace("_", "-"), value]
        load = self.processes.start(
            [str(word) for word in words] + ["--handshake"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        try:
            if load.stdout.readline() != "ready\n":
                raise Failure(load.stderr.read().strip() or "the load did not begin")
            roots = [server.process.pid]
            server_before, all_before = Usage(roots), Usage([*roots, load.pid])
            load.stdin.write("\n")
            load.stdin.flush()
            line = load.stdout.readline()
            server_after, all_after = Usage(roots), Usage([*roots, load.pid])
            if not line:
                raise Failure(load.stderr.read().strip() or "the load ended early")
            load.stdin.write("\n")
            load.stdin.close()
            load.wait(30)
        finally:
            self.processes.end(load, signal.SIGKILL)
            for stream in (load.stdout, load.stderr):
                stream.close()
        result = json.loads(line)
        result["cpu"] = server_after.seconds - server_before.seconds
        result["resident"] = server_after.resident
        result["foreign"] = all_after.foreign_share(all_before)
        result["whose"] = all_after.largest_other(all_before)
        return result

    def is_answered(self, server):
        """Whether the server answers a read of what was written first, now."""
        code, _, _ = self.processes.run(
            [
                self.program, server.protocol, "read", "--port", str(server.port), "--count", "1", "--seconds", "30",
            ], 60)
        return code == 0

    def await_answer(self, server, seconds=300):
        """Seconds from now until the server has answered a read."""
        began = time.monotonic()
        if not wait_until(lambda: self.is_answered(server) or server.process.poll() is not None, seconds):
            raise Failure("no answer in time: " + tail(server.directory + ".log"))
        if server.process.poll() is not None:
            raise Failure(f"{server.title} ended by itself: {tail(server.directory + '.log')}")
        return time.monotonic() - began

    def await_start(self, server, seconds=60):
        """Waits until the server takes its first appends; they are what reads ask for later."""

        def is_ready():
            if server.process.poll() is not None:
                raise Failure(f"{server.title} ended by itself: {tail(server.directory + '.log')}")
            code, _, _ = self.processes.run(
                [
                    self.program, server.protocol, "append", "--port", str(server.port), "--count", "128", "--seconds",
                    "20",
                ], 60)
            return code == 0

        if not wait_until(is_ready, seconds, pause=0.1):
            raise Failure("no answer to the first append: " + tail(server.directory + ".log"))


def tail(path, count=300):
    with open(path, "rb") as file:
        file.seek(max(0, os.path.getsize(path) - count))
        return file.read().decode(errors="replace").strip()


def count_syncs(report):
    """Calls in the table that `strace -c` writes: its fourth column, for the two calls that were traced."""
    total = 0
    with open(report) as file:
        for line in file:
            words = line.split()
            if words and words[-1] in ("fdatasync", "fsync"):
                total += int(words[3])
    return total


def trace_syncs(loads, server, seconds):
    """Syncs and appends while one client waits for each append: who syncs before it answers does it once for each."""
    report = server.directory + ".strace"
    attached = []
    for pid in family(server.process.pid):
        attached += ["-p", str(pid)]
    errors_path = report + ".errors"
    with open(errors_path, "w") as errors:
        tracer = loads.processes.start(
            ["strace", "-f", "-c", "-e", "trace=fdatasync,fsync", "-o", report, *attached], stderr=errors)
    if not wait_until(lambda: "attached" in open(errors_path).read() or tracer.poll() is not None, 10):
        raise Failure("strace did not attach")
    time.sleep(0.2)
    try:
        result = loads.run(server, "append", seconds)
    finally:
        loads.processes.end(tracer, signal.SIGINT)
    return count_syncs(report), result["operations"]


def family(root):
    """A process and its descendants."""
    children = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as file:
                    children.setdefault(int(file.read().rpartition(")")[2].split()[1]), []).append(int(name))
            except (FileNotFoundError, ProcessLookupError):
                pass
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found
