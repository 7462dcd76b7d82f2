"""The servers that are compared: how each is started for the job, on loopback, in a directory that is thrown away.

Each runs with the settings that make an answer durable, if it has them; everything else is as Debian ships it.
"""

import glob
import os
import pwd
import re
import signal
import subprocess

from processes import free_port


class Server:
    name = ""  # on the command line, and the load's protocol
    title = ""
    packages = ()
    operations = ("append", "read", "watch", "fill")
    note = ""  # what a reader must know to compare its rows
    pipeline_fill = 16
    stop_signal = signal.SIGTERM

    def __init__(self, processes, directory):
        self.processes = processes
        self.directory = directory
        self.port = free_port()
        self.process = None

    @property
    def protocol(self):
        return self.name

    def prepare(self):
        """Makes what must be there before the first start."""
        os.makedirs(self.directory, exist_ok=True)

    def command(self):
        raise NotImplementedError

    def start(self):
        with open(self.directory + ".log", "ab") as log:
            self.process = self.processes.start(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self.options())

    def options(self):
        return {}

    def stop(self, number=None):
        if self.process:
            self.processes.end(self.process, number or self.stop_signal)
        self.process = None

    @classmethod
    def version(cls, run):
        """The first number that the program says of itself."""
        _, output, errors = run(cls.version_command(), 20)
        found = re.search(r"\d+(\.\d+)+", output + errors)
        return found.group(0) if found else "?"

    @classmethod
    def version_command(cls):
        raise NotImplementedError


class Muster(Server):
    name, title = "muster", "Muster"
    program = None

    def prepare(self):
        pass  # the server makes its own directory

    def command(self):
        return [
            self.program, "serve", "--data", self.directory, "--listen", f"127.0.0.1:{self.port}", "--http", "none"]

    @classmethod
    def version_command(cls):
        return [cls.program, "version"]


class Ceiling(Server):
    name, title = "ceiling", "ceiling (bare group commit in C)"
    operations = ("append",)
    note = "keeps nothing: one thread, one write and one sync a round; what this machine could do at most"
    program = None

    def command(self):
        return [self.program, "serve", "--dir", self.directory, "--port", str(self.port)]

    @classmethod
    def version(cls, run):
        return ""


class Etcd(Server):
    name, title, packages = "etcd", "etcd", ("etcd-server",)
    note = "one member"

    def command(self):
        self.peer_port = getattr(self, "peer_port", None) or free_port()
        client, peer = f"http://127.0.0.1:{self.port}", f"http://127.0.0.1:{self.peer_port}"
        return [
            "etcd", "--name", "bench", "--data-dir", self.directory, "--listen-client-urls", client,
            "--advertise-client-urls", client, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
            "--initial-cluster", f"bench={peer}", "--quota-backend-bytes", str(8 << 30), "--logger", "zap",
            "--log-level", "error"]

    @classmethod
    def version_command(cls):
        return ["etcd", "--version"]


class Redis(Server):
    name, title, packages = "redis", "Redis", ("redis-server",)
    note = "appendfsync always; watchers read a stream (XADD, XREAD)"

    def command(self):
        return [
            "redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.directory, "--save", "",
            "--appendonly", "yes", "--appendfsync", "always", "--daemonize", "no"]

    @classmethod
    def version_command(cls):
        return ["redis-server", "--version"]


class ZooKeeper(Server):
    name, title, packages = "zookeeper", "ZooKeeper", ("zookeeper",)
    note = "standalone; watchers are told that a node changed, not its value"

    def prepare(self):
        super().prepare()
        # The tick bounds the sessions' timeouts: watchers say nothing while they watch.
        settings = {
            "dataDir": self.directory, "clientPort": self.port, "clientPortAddress": "127.0.0.1", "tickTime": 6000,
            "maxClientCnxns": 0, "admin.enableServer": "false",
        }
        with open(self.directory + ".cfg", "w") as file:
            file.writelines(f"{name}={value}\n" for name, value in settings.items())

    def command(self):
        return [
            "java", "-cp", "/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-nop.jar",
            "org.apache.zookeeper.server.quorum.QuorumPeerMain", self.directory + ".cfg"]

    @classmethod
    def version(cls, run):
        _, output, _ = run(["dpkg-query", "-W", "-f", "${Version}", "zookeeper"], 20)
        return output.split("-")[0]


class PostgreSQL(Server):
    name, title, packages = "postgres", "PostgreSQL", ("postgresql",)
    note = "a row an append; watchers LISTEN, and cannot resume"
    stop_signal = signal.SIGINT  # ends sessions instead of waiting for them

    @staticmethod
    def programs():
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4]))
        return found[-1] if found else "/usr/lib/postgresql/bin"

    def options(self):
        # It refuses to run as root; Debian's package brings its user.
        if os.geteuid() != 0:
            return {}
        user = pwd.getpwnam("postgres")
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": self.directory}

    def prepare(self):
        super().prepare()
        options = self.options()
        if options:
            os.chown(self.directory, options["user"], options["group"])
        code, _, errors = self.processes.run(
            [self.programs() + "/initdb", "-D", self.directory, "-U", "postgres", "-A", "trust", "-E", "UTF8"], 120,
            **options)
        if code:
            raise RuntimeError("initdb: " + errors)

    def command(self):
        settings = {
            "listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": "",
            "max_connections": 1400,
        }
        flags = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [self.programs() + "/postgres", "-D", self.directory, *flags]

    @classmethod
    def version_command(cls):
        return [cls.programs() + "/postgres", "--version"]


class NATS(Server):
    name, title, packages = "nats", "NATS JetStream", ("nats-server",)
    note = "as it comes: answers before it syncs"
    settings = ""

    @property
    def protocol(self):
        return "nats"

    def prepare(self):
        super().prepare()
        self._write(self.directory + ".conf", self.directory, self.port, self.settings)

    @staticmethod
    def _write(path, directory, port, settings):
        with open(path, "w") as file:
            file.write(f'listen: "127.0.0.1:{port}"\njetstream {{ store_dir: "{directory}"\n{settings} }}\n')

    def command(self):
        return ["nats-server", "-c", self.directory + ".conf"]

    @classmethod
    def version_command(cls):
        return ["nats-server", "--version"]


class SyncingNATS(NATS):
    name, title = "nats-sync", "NATS JetStream, sync always"
    note = "sync_interval: always"
    settings = "sync_interval: always"

    @classmethod
    def is_possible(cls, run, directory):
        """Whether this version knows the setting: it is asked itself."""
        path = os.path.join(directory, "nats-check.conf")
        cls._write(path, directory, 4222, cls.settings)
        return run(["nats-server", "-t", "-c", path], 20)[0] == 0


SERVERS = [Muster, Etcd, Redis, ZooKeeper, PostgreSQL, NATS, SyncingNATS, Ceiling]
