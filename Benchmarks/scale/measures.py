"""What is measured at each size. Every function adds the points of its curves."""

import json
import os
import re
import shutil
import time

from curves import AT_MOST_LINEAR, FLAT, LINEAR, NOT_FALLING
from machine import Usage
from measure import Failure, Loads
from processes import directory_bytes, wait_until
from servers import Muster

EVENTS, SHARDS, WATCHERS = "events in the history", "shards", "watchers"


class Measures:
    def __init__(self, processes, curves, directory, programs, options):
        self.processes, self.curves, self.directory, self.options = processes, curves, directory, options
        self.muster, self.state_benchmark = programs["muster"], programs["state-benchmark"]
        self.loads = Loads(processes, programs["load"])
        self._number = 0

    def _add(self, family, name, x_name, y_name, expected, x, y, foreign):
        self.curves.curve(family, name, x_name, y_name, expected).add(x, y, foreign)
        mark = f"  foreign {foreign:.2f}" if foreign > 0.15 else ""
        print(f"  {family}: {name} at {x:,}: {y:,.4g}{mark}", flush=True)

    def _run(self, command, timeout=900, servers=()):
        """Runs a program, beside servers of ours; returns what it printed, how long it took and what others used."""
        roots = [server.process.pid for server in servers]
        before, began = Usage(roots), time.monotonic()
        code, output, errors = self.processes.run([str(word) for word in command], timeout)
        elapsed = time.monotonic() - began
        if code:
            raise Failure(f"{' '.join(map(str, command[:4]))}: {errors.strip()[-300:]}")
        return output, elapsed, Usage(roots).foreign_share(before)

    def _fresh(self):
        self._number += 1
        return os.path.join(self.directory, f"data-{self._number}")

    def _serve(self, directory):
        server = Muster(self.processes, directory)
        server.start()
        return server

    # ---- A running server

    def appends(self):
        server = self._serve(self._fresh())
        self.loads.await_start(server)
        seconds = self.options.seconds
        for clients in self.options.clients:
            result = self.loads.run(server, "append", seconds, clients)
            self._add(
                "appends", "one change a command", "clients", "changes a second", NOT_FALLING, clients,
                result["perSecond"], result["foreign"])
        for changes in self.options.changes:
            output, _, foreign = self._run(
                [
                    self.muster, "bench", "append", "--server", f"127.0.0.1:{server.port}", "--clients", 16,
                    "--seconds", max(1, round(seconds)), "--events-per-command", changes, "--output", "json",
                ], servers=[server])
            self._add(
                "batches", "16 clients", "changes in each command", "changes a second", NOT_FALLING, changes,
                json.loads(output)["eventsPerSecond"], foreign)
        server.stop()
        shutil.rmtree(server.directory, ignore_errors=True)

    def watchers(self):
        server = self._serve(self._fresh())
        self.loads.await_start(server)
        for watchers in self.options.watchers:
            result = self.loads.run(server, "watch", self.options.seconds, 16, watchers=watchers)
            if result["missing"] or result["outOfOrder"] or result["errors"]:
                raise Failure(f"{watchers} watchers: {result['missing']} missing, {result['outOfOrder']} out of order")
            self._add(
                "watchers", "deliveries", WATCHERS, "deliveries a second", NOT_FALLING, watchers,
                result["deliveriesPerSecond"], result["foreign"])
        server.stop()
        shutil.rmtree(server.directory, ignore_errors=True)

    # ---- A data directory

    def _generate(self, events, shards, services):
        directory = self._fresh()
        output, _, foreign = self._run(
            [
                self.muster, "bench", "generate", "--events", events, "--shards", shards, "--services", services,
                "--seed", 1, "--data", directory, "--output", "json",
            ], 3000)
        return directory, json.loads(output), foreign

    def _start(self, family, directory, x_name, x, expected, memory_expected=None):
        """From the start of the process until it says that it is ready; then what it holds in memory."""
        before, began = Usage([]), time.monotonic()
        server = self._serve(directory)

        def is_ready():
            with open(directory + ".log") as log:
                return "ready revision" in log.read() or server.process.poll() is not None

        if not wait_until(is_ready, 120, pause=0.001) or server.process.poll() is not None:
            raise Failure("the server did not become ready")
        elapsed, usage = time.monotonic() - began, Usage([server.process.pid])
        self._add(family, "start of a server", x_name, "seconds", expected, x, elapsed, usage.foreign_share(before))
        if memory_expected:
            self._add(
                "memory", "server, resident", x_name, "bytes", memory_expected, x, usage.resident,
                usage.foreign_share(before))
        server.stop()
        os.unlink(directory + ".log")

    def _past(self, family, directory, revision, x_name, x, shard_expected, state_expected, diff_expected):
        for subject, expected in (("shard", shard_expected), ("state", state_expected)):
            output, _, foreign = self._run(
                [
                    self.muster, "bench", "asof", "--data", directory, "--of", subject, "--count", self.options.moments,
                    "--seconds", 60, "--output", "json",
                ])
            name = "--at, one shard" if subject == "shard" else "--at, the whole state"
            self._add(family, name, x_name, "seconds", expected, x, json.loads(output)["p50"] / 1e6, foreign)
        first = max(1, revision // 2)
        _, elapsed, foreign = self._run(
            [self.muster, "diff", first, min(revision, first + 1000), "--data", directory, "--output", "jsonl"])
        self._add(family, "diff of 1,000 revisions", x_name, "seconds", diff_expected, x, elapsed, foreign)

    def history(self):
        """The same small cluster with ever more behind it: few limits of few services, which the shortest history sets."""
        for events in self.options.events:
            directory, made, foreign = self._generate(events, 1000, 4)
            count = made["operations"]
            _, used = directory_bytes(directory)
            self._add("disk", "whole directory, in use", EVENTS, "bytes", LINEAR, count, used, foreign)
            self._start("history", directory, EVENTS, count, FLAT)
            self._past("history", directory, made["revision"], EVENTS, count, FLAT, FLAT, FLAT)
            shutil.rmtree(directory, ignore_errors=True)

    def state(self):
        """Ever more shards, with as much history as made them."""
        for shards in self.options.shards:
            directory, made, _ = self._generate(max(self.options.state_events, 5 * shards), shards, 200)
            output, _, _ = self._run([self.muster, "status", "--data", directory, "--output", "json"])
            count = json.loads(output)["shards"]["total"]
            self._start("state", directory, SHARDS, count, AT_MOST_LINEAR, AT_MOST_LINEAR)
            self._past("state", directory, made["revision"], SHARDS, count, FLAT, AT_MOST_LINEAR, AT_MOST_LINEAR)
            shutil.rmtree(directory, ignore_errors=True)

    # ---- The state alone, in processor time of one thread

    def _figures(self, *arguments):
        output, _, foreign = self._run([self.state_benchmark, *arguments])
        found = {}
        for name, value in re.findall(r"^\s*(.+?): ([\d.]+)", output, re.M):
            found.setdefault(name, []).append(float(value))
        return {name: sorted(values)[len(values) // 2] for name, values in found.items()}, foreign

    def rows(self):
        for shards in self.options.shards:
            for part in ("pages", "writes"):
                figures, foreign = self._figures("--shards", shards, "--only", part)
                for name, value in figures.items():
                    if part == "pages" and name.startswith("memory of"):
                        self._add("memory", "the state alone", SHARDS, "bytes", AT_MOST_LINEAR, shards, value * 1e6, foreign)
                    elif name == "pages changed by one change":
                        self._add("memory", "pages of one change", SHARDS, "bytes", FLAT, shards, value * 1024, foreign)
                    elif name.startswith("row write, a replica"):
                        self._add("row writes", "a view published each", SHARDS, "µs", FLAT, shards, value, foreign)

    def planning(self):
        for nodes in self.options.nodes:
            for shards in self.options.shards:
                figures, foreign = self._figures("--shards", shards, "--nodes", nodes, "--only", "planning")
                for name, value in figures.items():
                    if name.startswith("first placement"):
                        self._add(
                            "planning", f"first placement, {nodes:,} nodes", SHARDS, "ms", AT_MOST_LINEAR, shards,
                            value, foreign)
                    elif name.startswith("plan for the"):
                        self._add(
                            "planning", f"a node lost of {nodes:,}", SHARDS, "ms", AT_MOST_LINEAR, shards, value,
                            foreign)


FAMILIES = ("appends", "watchers", "history", "state", "rows", "planning")
