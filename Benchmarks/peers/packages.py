"""Installs what is compared, with apt-get, so that no service starts by itself and none that runs is touched."""

import os
import subprocess

POLICY = "/usr/sbin/policy-rc.d"
TOOLS = ("strace", "liblz4-dev", "gcc", "libc6-dev")


def missing(packages):
    def is_there(package):
        found = subprocess.run(
            ["dpkg-query", "-W", "-f", "${Status}", package], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True)
        return "ok installed" in found.stdout

    return [package for package in packages if not is_there(package)]


def install(packages):
    """Debian starts a service as soon as it is installed, unless a policy says no: ours stands there only meanwhile."""
    wanted = missing(packages)
    if not wanted:
        return
    if os.geteuid() != 0:
        raise SystemExit("peers: not root, and these packages are missing: " + " ".join(wanted))
    print("installing " + " ".join(wanted), flush=True)
    is_ours = not os.path.exists(POLICY)
    if is_ours:
        with open(POLICY, "w") as file:
            file.write("#!/bin/sh\nexit 101\n")
        os.chmod(POLICY, 0o755)
    try:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=True, timeout=300, stdout=subprocess.DEVNULL)
        subprocess.run(
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *wanted], check=True, timeout=900,
            env=environment, stdout=subprocess.DEVNULL)
    finally:
        if is_ours:
            os.unlink(POLICY)
