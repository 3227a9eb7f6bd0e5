from django.apps import AppConfig


class CarillonConfig(AppConfig):
    """The composition root's own app: wires the consumers once everything is loaded."""

    name = "config"
    label = "carillon_config"

    def ready(self) -> None:
        from config.consumers import register_consumers

        register_consumers()
