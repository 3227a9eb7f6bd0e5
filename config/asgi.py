"""The ASGI entry point of the carrier endpoint (uvicorn): bare, without Django's request cycle."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from messaging.webhooks import CarrierEndpoint  # noqa: E402 - needs the app registry

application = CarrierEndpoint()
