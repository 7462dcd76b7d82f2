"""The page that a run leaves: tables for people, and what may be concluded from them."""

from plan import CLIENTS, WATCHERS
from rows import FOREIGN_MAX

# Where these are compared with Muster, and what the figure is called; more is better unless it says otherwise.
COMPARED = (
    [("append", str(clients), "perSecond", f"appends, {clients} clients", True) for clients in CLIENTS]
    + [("append", "64", "p99", "append p99, 64 clients", False), ("append", "64", "value", "CPU per append", False)]
    + [("read", "64", "perSecond", "reads, one at a time", True), ("read", "64x16", "perSecond", "reads, pipelined", True)]
    + [("watch", str(count), "deliveriesPerSecond", f"deliveries, {count} watchers", True) for count in WATCHERS]
    + [("restart", "stopped", "value", "restart", False), ("restart", "killed", "value", "restart after a kill", False)]
)


def count(value):
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def milliseconds(microseconds):
    return "–" if microseconds is None else f"{microseconds / 1000:.2f}"


def table(head, lines):
    out = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return out + ["| " + " | ".join(line) + " |" for line in lines] + [""]


class Report:
    def __init__(self, rows, servers, versions, machine, options):
        self.rows, self.servers, self.versions = rows, servers, versions
        self.machine, self.options = machine, options

    def text(self):
        parts = [self._head(), self._appends(), self._reads(), self._watches(), self._stored()]
        parts += [self._limits(), self._failures(), self._notes(), self.verdict()]
        return "\n".join(line for part in parts for line in part) + "\n"

    def _title(self, server):
        version = self.versions.get(server.name, "")
        marks = "" if not self._answers_early(server) else " ⚠"
        return f"{server.title} {version}".strip() + marks + (" †" if server.name == "rocksdb" else "")

    def _answers_early(self, server):
        ratio = self.rows.syncs_per_append(server.name)
        return ratio is not None and ratio < 0.99

    def _syncs(self, server):
        for row in self.rows.having(server.name, "syncs"):
            word = "no" if self._answers_early(server) else "yes"
            return f"{word}: {row['syncs']:,} for {row['operations']:,}"
        return "–"

    def _head(self):
        m, o = self.machine, self.options
        return [
            "# Muster beside its peers", "",
            f"{m['date']}, {m['processor']}, {m['memory']}, Linux {m['kernel']}. Servers and load share the machine, over "
            f"loopback. Medians of {o.rounds} rounds of {o.seconds:g} s a row, the servers in turn within each; one load "
            "generator for all, which checks every answer. Values are 256 bytes that do not compress.", "",
        ]

    def _rated(self, measure, keys, field, head):
        lines = []
        for server in self.servers:
            if not self.rows.having(server.name, measure):
                continue
            line = [self._title(server)]
            for key in keys:
                rate = self.rows.median(server.name, measure, key, field)
                tails = [milliseconds(self.rows.median(server.name, measure, key, name)) for name in ("p50", "p99")]
                line.append("–" if rate is None else f"{count(rate)} ({' / '.join(tails)})")
            if measure == "append":
                cpu = self.rows.median(server.name, measure, "64", "value")
                line += ["–" if cpu is None else f"{cpu:.2f}", self._syncs(server)]
            line.append(f"{self._foreign(server, measure):.2f}")
            lines.append(line)
        return table([head, *map(str, keys), *self._more(measure), "foreign CPU"], lines) if lines else []

    @staticmethod
    def _more(measure):
        return ["server CPU s per 100,000 at 64", "syncs before it answers"] if measure == "append" else []

    def _foreign(self, server, measure):
        return max((row["foreign"] for row in self.rows.having(server.name, measure) if "foreign" in row), default=0)

    def _appends(self):
        body = self._rated("append", CLIENTS, "perSecond", "appends/s (p50 / p99 ms) at so many clients")
        return ["## Durable appends", "", *body] if body else []

    def _reads(self):
        body = self._rated("read", ("64", "64x16"), "perSecond", "reads/s (p50 / p99 ms) at 64 clients, one and 16 at a time")
        return ["## Point reads", "", *body] if body else []

    def _watches(self):
        body = self._rated(
            "watch", WATCHERS, "deliveriesPerSecond", "deliveries/s (p50 / p99 ms of an append) to so many watchers")
        return ["## Watchers, each of which sees every change of 16 writers", "", *body] if body else []

    def _stored(self):
        lines = []
        for server in self.servers:
            values = [
                self.rows.median(server.name, "stored", self.options.records, name) for name in ("value", "occupied")]
            values += [self.rows.median(server.name, "restart", how, "value") for how in ("stopped", "killed")]
            fill = self.rows.median(server.name, "fill", self.options.records, "perSecond")
            if any(value is not None for value in values):
                seconds = ["–" if value is None else f"{value:.2f}" for value in values[2:]]
                lines.append([self._title(server), *map(count, values[:2]), *seconds, count(fill)])
        head = ["", "bytes a record", "with prepared space", "start to first answer, s", "the same after kill -9, s", "filling, records/s"]
        title = f"## {self.options.records:,} records of distinct keys"
        return [title, "", *table(head, lines)] if lines else []

    def _limits(self):
        lines = []
        for row in self.rows.having("machine", "limit"):
            if row["round"] == 0:
                middle = [self.rows.median("machine", "limit", row["key"], name) for name in ("value", "p50", "p99")]
                lines.append([row["key"], count(middle[0]), *["–" if v is None else f"{v:.0f}" for v in middle[1:]]])
        return ["## What the machine does", "", *table(["", "a second", "p50 µs", "p99 µs"], lines)] if lines else []

    def _failures(self):
        lines = [
            f"- {row['server']}, {row['measure']} {row['key']}, round {row['round'] + 1}: {row['error']}"
            for row in self.rows.all if row.get("error")
        ]
        return ["## What failed", "", *lines, ""] if lines else []

    def _notes(self):
        lines = ["## How to read it", ""]
        lines += [f"- {server.title}: {server.note}." for server in self.servers if server.note]
        lines += [
            "- ⚠ answers before it has synced: one client that waits for every answer makes fewer syncs than appends. Its "
            "appends are not compared.",
            "- † a library in the program that measures it; not compared.",
            "- Syncs are counted with strace while one client waits for each append.",
            "- Foreign CPU is what other processes and the host used meanwhile, in cores; the largest over the rounds.", "",
        ]
        return lines

    def verdict(self):
        """Row by row who is first; nothing when others used the machine."""
        disturbed = self.rows.disturbed()
        if disturbed:
            worst = max(disturbed, key=lambda row: row["foreign"])
            return [
                "## No verdict", "",
                f"Others used more than {FOREIGN_MAX} of a core during {len(disturbed)} of {len(self.rows.all)} rows; at "
                f"most {worst['foreign']:.2f} ({worst['server']}, {worst['measure']} {worst['key']}), of which "
                f"{worst.get('whose', 'nobody knows who')} used most. The rows stand as they were measured and prove "
                "nothing. Repeat on an idle machine.",
            ]
        lines = [line for line in map(self._compare, COMPARED) if line]
        if not lines:
            return []
        return ["## Verdict", "", *table(["", "Muster", "best other", "Muster is"], lines)]

    def _compare(self, compared):
        measure, key, field, name, is_more_better = compared
        own = self.rows.median("muster", measure, key, field)
        others = {}
        for server in self.servers:
            is_fair = server.name not in ("muster", "ceiling", "rocksdb")
            if measure == "append" and self._answers_early(server):
                is_fair = False
            value = self.rows.median(server.name, measure, key, field) if is_fair else None
            if value:
                others[server.title] = value
        if not own or not others:
            return None
        best = (max if is_more_better else min)(others, key=others.get)
        ratio = own / others[best] if is_more_better else others[best] / own
        words = f"first, {ratio:.2f} times as good" if ratio >= 1 else f"behind, {ratio:.2f} of it"
        return [name, count(own), f"{count(others[best])} ({best})", words]
