"""The least HTTP client that can be: one connection, one request at a time. A crowd of buyers must not cost more than
the service that answers it."""

import asyncio
import json
from typing import Any

Answer = tuple[int, dict[str, Any]]


class Wire:
    """One kept-alive connection to a process on loopback, opened when it is needed. Raises OSError, or EOFError, when
    the other end goes away before it has answered."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._open: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def put(self, path: str, token: str, body: dict[str, Any]) -> Answer:
        """Status and JSON body of the answer."""
        content = json.dumps(body).encode()
        head = (
            f"PUT {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(content)}\r\n\r\n"
        )
        try:
            if self._open is None:
                self._open = await asyncio.open_connection("127.0.0.1", self._port)
            reader, writer = self._open
            writer.write(head.encode() + content)
            return await _answer(reader)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Drop the connection."""
        if self._open is not None:
            self._open[1].close()
            self._open = None


async def _answer(reader: asyncio.StreamReader) -> Answer:
    status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines if line)
    content = await reader.readexactly(int(headers["content-length"]))
    code = int(status.split(" ")[1])
    return code, json.loads(content) if "json" in headers.get("content-type", "") else {}
