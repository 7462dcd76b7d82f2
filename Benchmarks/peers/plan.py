"""What is measured, and in which order: within a phase every server has its turn, so that rows which are compared are
measured within minutes of each other."""

import os
import shutil
import signal
import time

from measure import Failure, count_syncs, trace_syncs
from processes import directory_bytes

CLIENTS = (1, 16, 64, 256)
WATCHERS = (1, 100, 1000)
PHASES = ("limits", "append", "read", "watch", "restart")


class Plan:
    def __init__(self, processes, loads, directory, options, rows):
        self.processes = processes
        self.loads = loads
        self.directory = directory
        self.options = options
        self.rows = rows
        self._number = 0

    def run(self, phase, kind):
        """Gives one server its turn in one phase. What fails is a row that says so; the others go on."""
        self._number += 1
        directory = os.path.join(self.directory, f"{kind.name}-{self._number}")
        server = kind(self.processes, directory)
        try:
            if kind.name == "rocksdb":
                getattr(self, "rocksdb_" + phase, lambda _: None)(server)
            else:
                self._serve(phase, server)
        except (Failure, RuntimeError, OSError) as problem:
            self.rows.add(kind.name, phase, "failed", error=str(problem).replace("\n", " ")[:300])
        finally:
            if kind.name != "rocksdb":
                server.stop(signal.SIGKILL)
            shutil.rmtree(directory, ignore_errors=True)

    def _serve(self, phase, server):
        if {"restart": "fill"}.get(phase, phase) not in server.operations:
            return
        server.prepare()
        server.start()
        self.loads.await_start(server)
        getattr(self, phase)(server)

    def append(self, server):
        if self.rows.round == 0:
            syncs, appends = trace_syncs(self.loads, server, 1)
            self.rows.add(server.name, "syncs", "1", syncs=syncs, operations=appends)
        for clients in CLIENTS:
            result = self.loads.run(server, "append", self.options.seconds, clients)
            self.rows.add_load(server.name, "append", clients, result)

    def read(self, server):
        self.rows.add_load(
            server.name, "read", "64", self.loads.run(server, "read", self.options.seconds, 64))
        self.rows.add_load(
            server.name, "read", "64x16", self.loads.run(server, "read", self.options.seconds, 64, pipeline=16))

    def watch(self, server):
        for watchers in WATCHERS:
            result = self.loads.run(server, "watch", self.options.seconds, 16, watchers=watchers)
            self.rows.add_load(server.name, "watch", watchers, result)

    def restart(self, server):
        """A directory with many records: what it weighs, and how long until it answers, after a stop and after a kill."""
        records, (_, empty) = self.options.records, directory_bytes(server.directory)
        filled = self.loads.run(
            server, "fill", 900, 64, pipeline=server.pipeline_fill, count=records)
        self.rows.add_load(server.name, "fill", records, filled)
        server.stop()
        occupied, used = directory_bytes(server.directory)
        self.rows.add(
            server.name, "stored", records, value=(used - empty) / max(filled["operations"], 1),
            occupied=occupied / max(filled["operations"], 1))
        for how in ("stopped", "killed"):
            began = time.monotonic()
            server.start()
            self.loads.await_answer(server)
            self.rows.add(server.name, "restart", how, value=time.monotonic() - began)
            server.stop(signal.SIGKILL)

    def rocksdb_append(self, bench):
        if self.rows.round == 0:
            report, appends = bench.syncs(500)
            self.rows.add(bench.name, "syncs", "1", syncs=count_syncs(report), operations=appends)
        for clients in CLIENTS:
            self.rows.add_load(bench.name, "append", clients, bench.append(clients, self.options.seconds))

    def rocksdb_read(self, bench):
        bench.fill(100_000)
        self.rows.add_load(bench.name, "read", "64", bench.read(64, self.options.seconds))

    def rocksdb_restart(self, bench):
        self.rows.add(bench.name, "stored", self.options.records, **bench.fill(self.options.records))
        self.rows.add(bench.name, "restart", "stopped", value=bench.restart())
