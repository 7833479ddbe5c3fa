"""Valkey: arq's wake-ups. What matters is in PostgreSQL; this may be emptied at any time."""

import secrets
import signal
from pathlib import Path

import redis

from local.embedded import installations
from local.embedded.server import Server, free_port, write_private


def server(home: Path, *, durable: bool, lock: int) -> Server:
    binary, folder = installations.valkey_server(), home / "valkey"
    folder.mkdir(mode=0o700, exist_ok=True)
    port, password = free_port(), secrets.token_urlsafe(24)
    settings = {
        "bind": "127.0.0.1",
        "port": port,
        "requirepass": password,
        "appendonly": "yes" if durable else "no",
        "save": '""',
        "maxmemory": "256mb",
        "maxmemory-policy": "noeviction",
    }
    write_private(folder / "valkey.conf", "".join(f"{name} {value}\n" for name, value in settings.items()))
    return Server(
        name="Valkey",
        address=f"redis://:{password}@127.0.0.1:{port}/0",
        command=[str(binary), "valkey.conf"],
        directory=folder,
        log=home / "logs" / "valkey.log",
        lock=lock,
        farewell=signal.SIGTERM,
        answers=_answers,
    )


def _answers(address: str) -> bool:
    try:
        with redis.Redis.from_url(address, socket_timeout=1, socket_connect_timeout=1) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False
