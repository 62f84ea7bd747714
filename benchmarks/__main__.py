"""`python -m benchmarks [NAME…]`: print the measurements; all of them without a name.

Each is a module with a `main()` that measures what it compares side by side, in one run. Ratios
hold from machine to machine, absolute times do not: quote them with the machine.
"""

from __future__ import annotations

import importlib
import os
import sys
import time

import psutil

NAMES = ["engines", "gateway", "records", "retrieval", "grounding"]


def main(wanted: list[str]) -> int:
    unknown = [name for name in wanted if name not in NAMES]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are: {', '.join(NAMES)}", file=sys.stderr)
        return 2
    sys.argv[1:] = []  # the benchmarks read their own options when they are run alone
    memory = psutil.virtual_memory().total / 2**30
    print(f"{os.cpu_count()} cores, {memory:.0f} GiB, load {os.getloadavg()[0]:.1f} at the start.")
    for name in wanted or NAMES:
        print(f"\n## {name}\n", flush=True)
        started = time.monotonic()
        importlib.import_module(f"benchmarks.{name}").main()
        print(f"\n({time.monotonic() - started:.0f} s)", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
