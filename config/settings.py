"""Settings: read once from the environment, typed; a bad value is refused with its name.

Every setting that an installation may want to change is an environment variable, listed in docs/operations.md.
"""

from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parent.parent
env = environ.Env()

DEBUG = env.bool("DEBUG", default=False)
DATA_DIR = Path(env.str("CARILLON_DATA_DIR", default=str(ROOT / ".data")))


def _secret_key() -> str:
    """The installation's key: SECRET_KEY, else one made once in the data folder (embedded servers only)."""
    given: str = env.str("SECRET_KEY", default="")
    if given:
        return given
    path = DATA_DIR / "secret.key"
    if not path.exists():
        from django.core.management.utils import get_random_secret_key

        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(get_random_secret_key())
    return path.read_text()


SECRET_KEY = _secret_key()
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
SITE_URL = env.str("SITE_URL", default="http://localhost:8000")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_htmx",
    "crispy_forms",
    "crispy_bootstrap5",
    "common",
    "events",
    "accounts",
    "billing",
    "content",
    "senders",
    "consent",
    "registration",
    "contacts",
    "messaging",
    "audiences",
    "campaigns",
    "inbox",
    "dashboard",
    "config.apps.CarillonConfig",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.middleware.MemberMiddleware",
    "common.middleware.refuse_null_characters",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "dashboard.context.navigation",
            ],
        },
    }
]
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

# Databases: `default` is the product's role, `owner` migrates. Both are the same database.

_NO_DATABASE = "postgres://carillon_app@127.0.0.1:1/carillon"  # manage.py and make set the real one before use


def _database(variable: str, default: str) -> dict[str, object]:
    parsed: dict[str, object] = env.db_url(variable, default=default)
    if parsed["ENGINE"] != "django.db.backends.postgresql":
        raise ImproperlyConfigured(f"{variable} must be a postgres:// URL: Carillon runs on PostgreSQL only.")
    return parsed | {"CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True, "DISABLE_SERVER_SIDE_CURSORS": True}


DATABASES = {
    "default": _database("DATABASE_URL", _NO_DATABASE),
    "owner": _database("DATABASE_OWNER_URL", _NO_DATABASE),
}
DATABASE_ROUTERS: list[str] = []
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Celery

REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:1/0")
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CONCURRENCY = env.int("DISPATCHERS", default=2)  # of a worker; the others name their own
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600, "socket_keepalive": True}
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {
    "messaging.dispatch": {"queue": "dispatch"},
    "messaging.consume_inbound": {"queue": "inbound"},
    "messaging.consume_receipts": {"queue": "receipts"},
    # Unbounded in time, so apart from what must never wait: a STOP, the clock's work.
    "contacts.run_import": {"queue": "jobs"},
    "contacts.run_export": {"queue": "jobs"},
    "contacts.fill_search": {"queue": "jobs"},
    "dashboard.undo_import": {"queue": "jobs"},
    "campaigns.write_messages": {"queue": "jobs"},
    "campaigns.quote": {"queue": "jobs"},
    "consent.export_heads": {"queue": "jobs"},
    "consent.verify": {"queue": "jobs"},
    "consent.verify_chain": {"queue": "jobs"},
    "messaging.ask_the_witness": {"queue": "jobs"},
    "dashboard.erase_old_consent": {"queue": "jobs"},
    "consent.check_links": {"queue": "jobs"},
}
CELERY_TIMEZONE = "UTC"
# Without it Celery closes the connection around every task, whatever CONN_MAX_AGE says.
CELERY_DB_REUSE_MAX = 10_000

from config.schedule import BEAT_SCHEDULE  # noqa: E402 - data of its own, beside the tasks' names

CELERY_BEAT_SCHEDULE = BEAT_SCHEDULE
CELERY_BEAT_SCHEDULE_FILENAME = env.str("BEAT_SCHEDULE_FILE", default=str(DATA_DIR / "beat-schedule"))

# Sign-in (django-allauth)

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "dashboard.forms.OrganizationSignUpForm"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = env.str("ACCOUNT_EMAIL_VERIFICATION", default="optional")
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "dashboard:home"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Carillon <no-reply@localhost>")

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.bool("SECURE_COOKIES", default=False)
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],  # Tabler's arrows and ticks are data in its style sheet
        "frame-ancestors": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "object-src": ["'none'"],
    }
}

# Words, time, files

LANGUAGE_CODE = "en-us"
USE_I18N = True
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = ROOT / "staticfiles"
_PACKAGES = ROOT / "node_modules"
_ASSETS = {
    "tabler": _PACKAGES / "@tabler" / "core" / "dist",
    "htmx": _PACKAGES / "htmx.org" / "dist",
    "idiomorph": _PACKAGES / "idiomorph" / "dist",
    "chart": _PACKAGES / "chart.js" / "dist",
    "emoji": _PACKAGES / "emoji-picker-element-data" / "en" / "cldr",
}
# Without the assets (a worker's machine) there is nothing to serve, which is no reason to fail.
STATICFILES_DIRS = [ROOT / "static", *((name, folder) for name, folder in _ASSETS.items() if folder.exists())]
WHITENOISE_USE_FINDERS = True
MEDIA_ROOT = DATA_DIR / "files"
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024

# The product's own

# Seconds added to the clock of every process (tests and demonstrations of other hours), or `@file` that holds them.
CLOCK_OFFSET = env.str("CARILLON_CLOCK_OFFSET", default="0")
# What short links begin with where an organization has no domain of its own.
LINK_URL = env.str("LINK_URL", default=f"{SITE_URL.rstrip('/')}/l/")
# Where the carrier's callbacks reach us; its exact text is part of their signature.
CARRIER_CALLBACK_URL = env.str("CARRIER_CALLBACK_URL", default="http://127.0.0.1:8001")
CARRIER_STATUS_CALLBACKS = env.bool("CARRIER_STATUS_CALLBACKS", default=True)
# The heads of the chains of consent are written here every hour: best where no database administrator can write.
CONSENT_HEADS_DIR = env.str("CONSENT_HEADS_DIR", default=str(DATA_DIR / "consent-heads"))
# Whether the pages that programs name may lie in our own network: demonstrations and tests.
LINK_CHECK_PRIVATE = env.bool("LINK_CHECK_PRIVATE", default=False)
# The header in which a proxy before the web process tells the visitor's address (its last entry); empty: there is none.
VISITOR_HEADER = env.str("VISITOR_HEADER", default="")
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
# Dispatch (docs/operations.md says what each is for); seconds.
CLAIM_LIFETIME_SECONDS = env.float("CLAIM_LIFETIME_SECONDS", default=0.5)
CARRIER_TIMEOUT_SECONDS = env.float("CARRIER_TIMEOUT_SECONDS", default=10.0)
CARRIER_CONNECTIONS = env.int("CARRIER_CONNECTIONS", default=64)
SWEEP_AFTER_SECONDS = env.float("SWEEP_AFTER_SECONDS", default=30.0)
CARRIER_VALIDITY_SECONDS = env.float("CARRIER_VALIDITY_SECONDS", default=36_000.0)
UNCONFIRMED_AFTER_SECONDS = env.float("UNCONFIRMED_AFTER_SECONDS", default=3_600.0)
NO_RECEIPT_AFTER_SECONDS = env.float("NO_RECEIPT_AFTER_SECONDS", default=72 * 3600.0)
DISPATCH_TASK_SECONDS = env.float("DISPATCH_TASK_SECONDS", default=60.0)
LANE_LEASE_SECONDS = env.float("LANE_LEASE_SECONDS", default=4.0)

from config.logs import LOGGING  # noqa: E402, F401
