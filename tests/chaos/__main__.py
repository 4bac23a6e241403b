"""`python -m tests.chaos --seed 1 --minutes 1`: the last line says what the run came to; exit code 0 if all is 0."""

import argparse
import asyncio
import logging
from pathlib import Path

from tests.chaos.run import run


def main() -> None:
    """Parse the command line, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--keep", type=Path, help="a directory in which data and logs stay for a look afterwards")
    asked = parser.parse_args()
    # The broker is killed on purpose: what the client libraries say of it is no news.
    logging.disable(logging.CRITICAL)
    verdict = asyncio.run(run(asked.seed, min(asked.minutes, 600.0), keep=asked.keep))
    for name in ("lost", "doubled", "unbalanced", "stuck"):
        for detail in getattr(verdict, name)[:20]:
            print(f"  {name}: {detail}")
    print(f"  faults: {verdict.faults}")
    print(f"  lifecycles: {dict(verdict.lifecycles)}")
    print(verdict.line())
    raise SystemExit(0 if verdict.holds else 1)


main()
