"""RocksDB's own db_bench: a library inside the program that measures it, so it pays for no network and no protocol."""

import math
import os
import re
import resource
import time

from machine import Usage
from processes import directory_bytes


class RocksDB:
    name, title, packages = "rocksdb", "RocksDB (db_bench)", ("rocksdb-tools",)
    note = "embedded: no server, no network; threads call a library; sync=1"

    def __init__(self, processes, directory):
        self.processes = processes
        self.directory = directory

    def run(self, benchmark, threads, *more, prefix=()):
        """Runs one benchmark and returns its figures; processor time is of clients and storage together."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        usage, began = Usage([]), time.monotonic()
        code, output, errors = self.processes.run(
            [
                *prefix, "db_bench", f"--db={self.directory}", f"--benchmarks={benchmark}", f"--threads={threads}",
                "--value_size=256", "--compression_ratio=1.0", "--histogram=1", "--sync=1", *more,
            ], 900)
        wall = time.monotonic() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found = re.search(
            rf"^{benchmark}\s*:\s*[\d.]+ micros/op (\d+) ops/sec(?: ([\d.]+) seconds (\d+) operations)?", output, re.M)
        if code or not found:
            raise RuntimeError("db_bench: " + (errors or output)[-400:])
        result = {"perSecond": float(found.group(1)), "wall": wall, "errors": 0}
        result["operations"] = int(found.group(3)) if found.group(3) else int(float(found.group(1)) * wall)
        for name, value in re.findall(r"P(50|99|99\.9): ([\d.]+)", output):
            result["p" + name.replace(".", "")] = float(value)
        result["foreign"] = Usage([]).foreign_share(usage)
        result["cpu"] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return result

    def append(self, clients, seconds):
        return self.run("fillrandom", clients, f"--duration={math.ceil(seconds)}", "--num=10000000", "--use_existing_db=0")

    def read(self, clients, seconds):
        return self.run("readrandom", clients, f"--duration={math.ceil(seconds)}", "--num=100000", "--use_existing_db=1")

    def fill(self, records):
        threads = 64
        self.run("fillrandom", threads, f"--num={records // threads}", "--use_existing_db=0")
        occupied, used = directory_bytes(self.directory)
        written = records // threads * threads
        return {"value": used / written, "occupied": occupied / written}

    def restart(self):
        """Opening the database and one read, with the program's own start in it."""
        return self.run("readrandom", 1, "--reads=1", "--num=1000", "--use_existing_db=1")["wall"]

    def syncs(self, appends):
        report = self.directory + ".strace"
        self.run(
            "fillrandom", 1, f"--num={appends}", "--use_existing_db=0",
            prefix=("strace", "-f", "-c", "-e", "trace=fdatasync,fsync", "-o", report))
        return report, appends

    @classmethod
    def version(cls, run):
        _, output, _ = run(["dpkg-query", "-W", "-f", "${Version}", "rocksdb-tools"], 20)
        return output.split("-")[0]


def is_installed():
    return any(os.access(os.path.join(path, "db_bench"), os.X_OK) for path in os.environ["PATH"].split(":"))
