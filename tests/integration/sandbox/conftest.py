"""A real sandbox process, a shop that receives its notifies, and an independent Alipay client."""

import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from tests.integration.sandbox.stage import Received, SandboxProcess, Shop, ShopSide, StartSandbox, client_for


@pytest.fixture(scope="session")
def shop() -> Iterator[Shop]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            there.received.append(Received(self.path, self.headers["content-type"], body))
            status, text = there.answer_to(self.path)
            self.send_response(status)
            self.send_header("content-length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    there = Shop(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield there
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def keys_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("keys")
    subprocess.run([sys.executable, "-m", "services.sandbox", "keys", str(directory)], check=True)
    return directory


@pytest.fixture(scope="session")
def start_sandbox(tmp_path_factory: pytest.TempPathFactory, keys_directory: Path) -> Iterator[StartSandbox]:
    started: list[SandboxProcess] = []

    def start(**extra: str) -> SandboxProcess:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        process = SandboxProcess(tmp_path_factory.mktemp("sandbox"), keys_directory, port, extra)
        started.append(process)
        process.start()
        return process

    yield start
    living = [sandbox for sandbox in started if sandbox.process is not None and sandbox.process.poll() is None]
    for sandbox in living:
        sandbox.ask_to_stop()
    for sandbox in living:
        sandbox.stop()


@pytest.fixture(scope="session")
def sandbox(start_sandbox: StartSandbox) -> SandboxProcess:
    """One process shared by all tests that neither kill it nor move its clock."""
    return start_sandbox()


@pytest.fixture(scope="session")
def travelling_process(start_sandbox: StartSandbox) -> SandboxProcess:
    return start_sandbox()


@pytest.fixture
def travelling(travelling_process: SandboxProcess, shop: Shop) -> ShopSide:
    """A sandbox whose clock the test may move; it starts at real time."""
    alipay = client_for(travelling_process, shop)
    alipay.http.put("/clock", json={"offset_s": 0}).raise_for_status()
    return alipay


@pytest.fixture
def http(sandbox: SandboxProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sandbox.url, trust_env=False, timeout=30) as client:
        yield client


@pytest.fixture
def alipay(sandbox: SandboxProcess, shop: Shop) -> ShopSide:
    return client_for(sandbox, shop)


@pytest.fixture
def out_no() -> str:
    return uuid.uuid4().hex
