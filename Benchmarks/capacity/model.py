"""What one control plane carries: arithmetic from unit costs, each step by itself so that it can be doubted by itself."""

DAY, YEAR = 86_400, 365 * 86_400
REPLICAS = 3


class Habits:
    """What happens to a cluster in a year. Change these to what yours does."""

    failures = 4  # of each node that nobody planned
    long_failures = 0.5  # the share of them that lasts beyond the repair delay: replicas are made anew
    restarts = 52  # of each node on purpose: leaders are handed over and come back
    drains = 2  # of each node: everything moves away
    balance = 1.0  # how often each replica moves to make loads even
    configurations_per_day = 5_000  # changes of configuration by people and programs
    watcher_share = 0.05  # watchers of everything, as a share of the nodes


class Cluster:
    def __init__(self, units, name, nodes, shards, habits=Habits):
        self.u = {key: entry["value"] for key, entry in units.items() if isinstance(entry, dict)}
        self.name, self.nodes, self.shards, self.habits = name, nodes, shards, habits

    # ---- What happens

    @property
    def replicas_per_node(self):
        return self.shards * REPLICAS / self.nodes

    @property
    def leaders_per_node(self):
        return self.shards / self.nodes

    def events_per_failure(self):
        """Each leader: its election begins and ends. Each replica: out of the in-sync set and in again. After a long
        one: each replica is made anew elsewhere."""
        short = 2 * self.leaders_per_node + 2 * self.replicas_per_node
        return short + self.habits.long_failures * self.u["eventsPerMove"] * self.replicas_per_node

    def events_per_restart(self):
        """Each leader is asked to hand over, and elected elsewhere, there and back; each replica falls behind and catches up."""
        return 4 * self.leaders_per_node + 2 * self.replicas_per_node

    def events_per_year(self):
        h = self.habits
        by_node = h.failures * self.events_per_failure() + h.restarts * self.events_per_restart()
        by_node += h.drains * self.u["eventsPerMove"] * self.replicas_per_node
        balance = h.balance * self.u["eventsPerMove"] * self.shards * REPLICAS
        return self.nodes * by_node + balance

    def changes_per_year(self):
        return self.events_per_year() + self.habits.configurations_per_day * 365

    def changes_per_second(self):
        return self.changes_per_year() / YEAR

    # ---- What it costs

    def connections(self):
        return self.nodes + self.watchers()

    def watchers(self):
        return max(1, round(self.nodes * self.habits.watcher_share))

    def processors(self):
        """Cores, on the mean: signs of life, commits, and deliveries of every change to every watcher."""
        beats = self.nodes * self.u["heartbeatsPerNodePerSecond"] / self.u["heartbeatsPerSecond"]
        commits = self.changes_per_second() * self.u["processorSecondsPerCommit"]
        deliveries = self.changes_per_second() * self.watchers() / self.u["deliveriesPerSecond"]
        return beats, commits, deliveries

    def memory(self):
        return self.u["serverBytes"] + self.shards * self.u["stateBytesPerShard"]

    def disk_per_year(self):
        events = self.events_per_year() * (self.u["bytesPerEvent"] + self.u["snapshotBytesPerEvent"])
        return events + self.habits.configurations_per_day * 365 * self.u["bytesPerConfiguration"]

    def replay_seconds(self):
        """The tail behind the newest snapshot, at most."""
        return self.u["eventsBetweenSnapshots"] / self.u["replayedEventsPerSecond"]

    # ---- The worst hour

    def zone_leaders(self):
        """A third of the nodes is gone at once, and with it a third of the leaders and one replica of each shard."""
        return self.shards / 3

    def zone_events(self):
        """Each of these leaders: its election begins and ends. Each shard: a replica leaves the in-sync set."""
        return 2 * self.zone_leaders() + self.shards

    def zone_commits(self):
        """Elections are concluded so many to a commit; they begin, and replicas leave, thousands to a commit."""
        starts_and_losses = (self.zone_leaders() + self.shards) / self.u["startsPerCommit"]
        return self.zone_leaders() / self.u["electionsPerCommit"] + starts_and_losses

    def zone_seconds(self):
        return self.zone_events() / self.u["batchedChangesPerSecond"]

    def zone_deliveries_seconds(self):
        """Until every watcher has been shown it: at least, as if these commits were as small as those that were measured;
        and at most, as if each of their events were delivered by itself."""
        by_commits = self.zone_commits() * self.watchers() / self.u["deliveriesPerSecond"]
        return by_commits, self.zone_events() * self.watchers() / self.u["deliveriesPerSecond"]

    # ---- What its etcd would see: a transaction a block

    def etcd_share_mean(self):
        """At rest every commit is a block of its own."""
        return self.changes_per_second() / self.u["etcdPutsPerSecond"]

    def etcd_days(self, space=8e9):
        """Until etcd is full, at the mean, if nothing of it were compacted."""
        return space / (self.changes_per_second() * self.u["commitBytesInBlock"]) / DAY

    def etcd_peak(self, commits_per_block=64):
        """Transactions and bytes a second while commits come as fast as one server decides them."""
        return self.u["commitsPerSecond"] / commits_per_block, self.u["commitsPerSecond"] * self.u["commitBytesInBlock"]


def ends(units):
    """Each resource alone: how far it goes, by what arithmetic."""
    u = {key: entry["value"] for key, entry in units.items() if isinstance(entry, dict)}
    beat = u["heartbeatsPerNodePerSecond"]
    return [
        ("nodes, by connections", u["connections"], "a connection a node, the limit of the protocol"),
        (
            "nodes, by signs of life one by one", u["heartbeatsPerSecond"] / beat / 2,
            f"{u['heartbeatsPerSecond']:,} / {beat} a node / 2: half for everything else"),
        (
            "nodes, by signs of life in batches", u["batchedHeartbeatsPerSecond"] / beat / 2,
            "the same behind proxies that send a hundred at a time"),
        (
            "shards, by 16 GiB of memory", (16 * 2**30 - u["serverBytes"]) / u["stateBytesPerShard"] / 2,
            f"{u['stateBytesPerShard']} bytes each, half for views that readers hold"),
        (
            "shards, by 10 s of elections after a zone", 10 * u["batchedChangesPerSecond"] / (2 / 3 + 1),
            f"10 s × {u['batchedChangesPerSecond']:,} changes/s / 5/3 changes a shard"),
        ("changes a second, for hours", u["commitsPerSecond"] / 2, "half of what is measured: bursts need the rest"),
        ("changes a second, in batches of 64", u["batchedChangesPerSecond"] / 2, "likewise"),
        (
            "watchers of everything, at 1,000 changes a second", u["deliveriesPerSecond"] / 2 / 1000,
            "half of the deliveries measured, by 1,000"),
        (
            "years of a terabyte, at 100 events a second",
            1e12 / (100 * YEAR * (u["bytesPerEvent"] + u["snapshotBytesPerEvent"])),
            f"{u['bytesPerEvent']} + {u['snapshotBytesPerEvent']} bytes an event"),
    ]
