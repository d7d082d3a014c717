"""nginx and Caddy with the files of docs/, in front of a server."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.programs import program
from tests.support.server import Server, free_port

DOCS = Path(__file__).parent.parent.parent / "docs"
START_SECONDS = 20
NAME = "rollcall.example.com"


@dataclass(frozen=True)
class Proxy:
    port: int
    certificate: Path


@contextmanager
def nginx(server: Server, folder: Path) -> Iterator[Proxy]:
    proxy = Proxy(free_port(), _certificate(folder))
    temporary = "".join(
        f"    {name}_temp_path {folder / name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    text = _replaced(
        (DOCS / "nginx.conf").read_text(),
        {
            "user www-data;": "user root;" if os.getuid() == 0 else "",
            "/run/nginx.pid": str(folder / "nginx.pid"),
            "/var/log/nginx/error.log": str(folder / "error.log"),
            "/var/log/nginx/access.log": str(folder / "access.log"),
            "http {\n": f"http {{\n{temporary}",
            "timeout 10s;": "timeout 1s;",
            "127.0.0.1:8000": f"127.0.0.1:{server.port}",
            "listen 80 ": f"listen 127.0.0.1:{free_port()} ",
            "listen 443 ": f"listen 127.0.0.1:{proxy.port} ",
            f"/etc/letsencrypt/live/{NAME}/fullchain.pem": str(proxy.certificate),
            f"/etc/letsencrypt/live/{NAME}/privkey.pem": str(folder / "key.pem"),
        },
    )
    (folder / "nginx.conf").write_text(text)
    command = [program("nginx", "/usr/sbin"), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    with _running([*command, "-g", "daemon off;"], folder, proxy):
        yield proxy


@contextmanager
def caddy(server: Server, folder: Path) -> Iterator[Proxy]:
    proxy = Proxy(free_port(), _certificate(folder))
    text = _replaced(
        (DOCS / "Caddyfile").read_text(),
        {
            "{\n\tservers {": "{\n\tadmin off\n\tauto_https disable_redirects\n\tservers {",
            "read_header 10s": "read_header 1s",
            "read_body 10s": "read_body 1s",
            "127.0.0.1:8000": f"127.0.0.1:{server.port}",
            f"{NAME} {{": f"https://{NAME}:{proxy.port} {{\n\tbind 127.0.0.1\n"
            f"\ttls {proxy.certificate} {folder / 'key.pem'}",
        },
    )
    (folder / "Caddyfile").write_text(text)
    command = [program("caddy"), "run", "--adapter", "caddyfile", "--config"]
    with _running([*command, str(folder / "Caddyfile")], folder, proxy):
        yield proxy


def _replaced(text: str, places: dict[str, str]) -> str:
    for place, value in places.items():
        assert place in text, place
        text = text.replace(place, value)
    return text


def _certificate(folder: Path) -> Path:
    certificate = folder / "certificate.pem"
    command = [program("openssl"), "req", "-x509", "-newkey", "ec", "-nodes", "-days", "2"]
    subprocess.run(
        [
            *(*command, "-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", f"/CN={NAME}"),
            *("-addext", f"subjectAltName=DNS:{NAME}"),
            *("-keyout", str(folder / "key.pem"), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    return certificate


@contextmanager
def _running(command: list[str], folder: Path, proxy: Proxy) -> Iterator[None]:
    with (folder / "proxy.log").open("wb") as log:
        home = {"HOME": str(folder), "XDG_DATA_HOME": str(folder)}
        process = subprocess.Popen(command, stdout=log, stderr=log, env=home)
    try:
        _wait_until_listening(process, folder, proxy)
        yield
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def _wait_until_listening(process: subprocess.Popen[bytes], folder: Path, proxy: Proxy) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", proxy.port)).close()
            return
        except OSError:
            if time.monotonic() > end or process.poll() is not None:
                raise RuntimeError((folder / "proxy.log").read_text()) from None
            time.sleep(0.02)
