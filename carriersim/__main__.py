"""`python -m carriersim --port 8002`: serve until the process is ended."""

import argparse
import asyncio
import contextlib
import gc
import os

import uvloop

from carriersim.api import Api
from carriersim.callbacks import Callbacks
from carriersim.carrier import Carrier
from carriersim.http import serve


async def _main(port: int, auth_token: str) -> None:
    carrier = Carrier(auth_token, Callbacks(auth_token))
    server = await serve(Api(carrier), port=port)
    watch = asyncio.create_task(carrier.watch_own_lag())
    # Hundreds of thousands of texts live on: walking them all again and again would make our own clock late.
    gc.freeze()
    gc.set_threshold(200_000, 50, 50)
    async with server:
        await server.serve_forever()
    watch.cancel()


def main() -> None:
    parser = argparse.ArgumentParser(prog="carriersim", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--auth-token", default=os.environ.get("CARRIERSIM_AUTH_TOKEN", "simulated-token"))
    arguments = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(_main(arguments.port, arguments.auth_token))


if __name__ == "__main__":
    main()
