"""The programs that are measured: this repository's own, built in release, and C files compiled beside them."""

import os
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def build(product):
    """Builds a product in release and returns the path of its program."""
    command = ["swift", "build", "--package-path", ROOT, "--configuration", "release"]
    subprocess.run([*command, "--product", product, "--jobs", "2"], check=True, stdout=subprocess.DEVNULL)
    path = subprocess.run([*command, "--show-bin-path"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    return os.path.join(path, product)


def compile_c(target, sources, *arguments):
    command = ["cc", "-O2", "-std=gnu11", "-Wall", "-Wextra", "-Werror", *sources, *arguments]
    subprocess.run([*command, "-o", target], check=True)
    return target
