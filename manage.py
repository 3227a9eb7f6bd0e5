#!/usr/bin/env python
"""Django's command line, with the embedded servers running for as long as the command does."""

import os
import signal
import sys
from pathlib import Path

from config import embedded

ROOT = Path(__file__).resolve().parent


def main() -> None:
    # Being told to end is an orderly end: what this command has started is stopped on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    data_folder = Path(os.environ.get("CARILLON_DATA_DIR") or ROOT / ".data")
    try:
        with embedded.running(data_folder):
            execute_from_command_line(sys.argv)
    except embedded.ServerUnavailable as error:
        sys.exit(f"carillon: {error}")


if __name__ == "__main__":
    main()
