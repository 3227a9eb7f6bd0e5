"""`python -m bench NAME`: start the servers of the benches, run one bench or all."""

import argparse
import importlib
import logging
import os
import sys
from pathlib import Path

from config import embedded

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("consent", "contacts", "dispatch", "fairness", "import", "launch", "pacing", "pages", "quote", "receipts")


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("name", choices=("all", *NAMES))
    chosen = parser.parse_args().name
    data = ROOT / ".data" / "bench"
    os.environ["CARILLON_DATA_DIR"] = str(data)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    logging.disable(logging.INFO)
    with embedded.running(data):
        import django
        from django.core.management import call_command

        django.setup()
        call_command("prepare_database", verbosity=0)
        for name in NAMES if chosen == "all" else (chosen,):
            importlib.import_module(f"bench.{name}").run()
        if chosen == "all":
            from bench.document import write

            write()
    sys.stdout.flush()


if __name__ == "__main__":
    main()
