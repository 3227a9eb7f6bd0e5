"""Start every process and keep them running until Ctrl-C, with a carrier on the desk."""

import os
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command

from config.processes import ProcessEnded
from config.stack import Stack


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, help="of the pages; a free one unless given")

    def handle(self, *args: Any, port: int | None, **options: Any) -> None:
        call_command("prepare_database", verbosity=0)
        try:
            with Stack(Path(settings.DATA_DIR) / "logs" / str(os.getpid()), web_port=port) as stack:
                self.stdout.write(
                    f"Carillon serves at {stack.web_url}, the handsets at {stack.simulator.base_url}/handset.\n"
                    f"Logs are in {Path(settings.DATA_DIR).name}/logs/{os.getpid()}. Ctrl-C ends it."
                )
                self.stdout.flush()
                while True:
                    stack.supervisor.check()
                    time.sleep(0.5)
        except KeyboardInterrupt:
            return
        except ProcessEnded as error:
            raise CommandError(str(error)) from error
