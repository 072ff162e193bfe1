"""`make fuzz`: made-up requests until enough have been sent; exits with 1 where one does harm."""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
from pathlib import Path

from .api_campaign import fuzz_api
from .campaign import Found, Progress
from .held import Fault
from .wire_campaign import fuzz_wire

API_SHARE = 25
"""One request in so many is made up from the specification: it costs as much as twenty others."""


def main() -> int:
    """Run both campaigns and say what was sent and what was found."""
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000, help="how many to send (100000)")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**9), help="begins with this one")
    parser.add_argument("--only", choices=("api", "wire"), help="one campaign alone")
    options = parser.parse_args()
    print(f"fuzzing with {options.requests:,} requests, seed {options.seed}", flush=True)
    share = {"api": options.requests // API_SHARE, "wire": options.requests - options.requests // API_SHARE}
    if options.only:
        share = {options.only: options.requests}
    for label, campaign in (("api", fuzz_api), ("wire", fuzz_wire)):
        if label not in share:
            continue
        progress = Progress(label=label, total=share[label])
        with tempfile.TemporaryDirectory(prefix="dhatu-fuzz-") as directory:
            progress.start()
            try:
                held = campaign(Path(directory), share[label], options.seed, progress)
            except (Found, Fault) as fault:
                print(f"\n{label}: {fault}\n\nagain: make fuzz SEED={options.seed}", file=sys.stderr)
                return 1
            progress.tell()
            print(f"  {label}: nothing found; held before and after: {held}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
