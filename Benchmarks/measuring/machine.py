"""The machine that is measured, and who uses its processors while it is."""

import os
import platform
import time

TICKS = os.sysconf("SC_CLK_TCK")


def describe():
    """The lines that stand above every table: what the figures were measured on, and when."""
    model = "unknown processor"
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    with open("/proc/meminfo") as file:
        memory = int(file.readline().split()[1]) / 1048576
    return {
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "processor": f"{os.cpu_count()} × {model}",
        "memory": f"{memory:.0f} GiB",
        "kernel": platform.release(),
    }


def _stat(pid):
    """The fields of /proc/PID/stat behind the name, which may hold anything."""
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()


def _alone(fields):
    return int(fields[11]) + int(fields[12])


def _whole(fields):
    """User and system time, its own and that of children that were waited for."""
    return _alone(fields) + int(fields[13]) + int(fields[14])


class Usage:
    """Processor seconds so far: of some processes with their descendants, and of everybody else.

    Times of processes are exact (the scheduler's), those of /proc/stat are sampled at every tick; so others are counted
    process by process. What the host took away (steal) belongs to others too.
    """

    def __init__(self, roots):
        self.time = time.monotonic()
        table = {}
        for name in os.listdir("/proc"):
            if name.isdigit():
                try:
                    table[int(name)] = _stat(name)
                except (FileNotFoundError, ProcessLookupError):
                    pass
        family = set(roots)
        grown = True
        while grown:
            fresh = {pid for pid, fields in table.items() if int(fields[1]) in family} - family
            family |= fresh
            grown = bool(fresh)
        self.seconds = sum(_whole(table[pid]) for pid in family if pid in table) / TICKS
        self.resident = sum(int(table[pid][21]) for pid in family if pid in table) * os.sysconf("SC_PAGE_SIZE")
        own = family | {os.getpid()}
        self._others = {pid: fields for pid, fields in table.items() if pid not in own}
        with open("/proc/stat") as file:
            self._steal = int(file.readline().split()[8]) / TICKS

    def foreign_share(self, before):
        """Processors that others used since `before`, as a mean: 0.15 is 15 % of one core.

        What a process used moves to its parent when it is waited for, so the sum over all that live stays whole, unless
        a parent does not care for its children: then those that live are all that is known. The larger of the two.
        """
        whole = sum(map(_whole, self._others.values())) - sum(map(_whole, before._others.values()))
        living = sum(
            _alone(fields) - (_alone(before._others[pid]) if pid in before._others else 0)
            for pid, fields in self._others.items())
        others = max(whole, living, 0) / TICKS + self._steal - before._steal
        return others / max(self.time - before.time, 1e-6)

    def largest_other(self, before):
        """The name of who used most of that: a process that lives, or `host` for what the host took away."""
        used = {
            pid: _alone(fields) - (_alone(before._others[pid]) if pid in before._others else 0)
            for pid, fields in self._others.items()}
        most = max(used, key=used.get, default=None)
        if most is None or used[most] <= (self._steal - before._steal) * TICKS:
            return "host"
        try:
            with open(f"/proc/{most}/comm") as file:
                return file.read().strip()
        except (FileNotFoundError, ProcessLookupError):
            return "a process that ended"
