"""What was measured, row by row, and the medians over the rounds."""

import csv
from statistics import median

FOREIGN_MAX = 0.15
FIELDS = (
    "round", "server", "measure", "key", "perSecond", "p50", "p90", "p99", "p999", "max", "operations", "seconds",
    "deliveriesPerSecond", "deliveries", "missing", "outOfOrder", "errors", "cpu", "loadProcessorSeconds", "resident",
    "syncs", "value", "occupied", "foreign", "whose", "error",
)


class Rows:
    def __init__(self, on_row):
        self.round = 0
        self.all = []
        self._on_row = on_row

    def add(self, server, measure, key, **values):
        row = {"round": self.round, "server": server, "measure": measure, "key": str(key), **values}
        self.all.append(row)
        self._on_row(row)

    def add_load(self, server, measure, key, result):
        kept = {name: result[name] for name in FIELDS if name in result}
        if result.get("firstError"):
            kept["error"] = result["firstError"]
        if result.get("cpu") and result.get("operations"):
            kept["value"] = result["cpu"] * 100_000 / result["operations"]
        self.add(server, measure, key, **kept)

    def having(self, server, measure, key=None):
        return [
            row for row in self.all
            if row["server"] == server and row["measure"] == measure and key in (None, row["key"])
        ]

    def median(self, server, measure, key, field):
        """The median over rounds; None when nothing was measured, or what came back was wrong."""
        rows = self.having(server, measure, str(key))
        if any(row.get("errors") or row.get("missing") or row.get("outOfOrder") for row in rows):
            return None
        values = [row[field] for row in rows if row.get(field) is not None]
        return median(values) if values else None

    def foreign(self, server=None):
        """The largest share of a core that others used during any row of a server, or of all."""
        shares = [row["foreign"] for row in self.all if "foreign" in row and server in (None, row["server"])]
        return max(shares, default=0.0)

    def disturbed(self):
        return [row for row in self.all if row.get("foreign", 0) > FOREIGN_MAX]

    def syncs_per_append(self, server):
        for row in self.having(server, "syncs"):
            if row["operations"]:
                return row["syncs"] / row["operations"]
        return None

    def write_csv(self, path):
        with open(path, "w", newline="") as file:
            writer = csv.DictWriter(file, FIELDS)
            writer.writeheader()
            writer.writerows(
                {name: round(value, 4) if isinstance(value, float) else value for name, value in row.items()}
                for row in self.all)
