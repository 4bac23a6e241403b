"""A way to Postgres that counts how often somebody had to wait for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit


class RoundTrips:
    """Counts the turns: what a client sends at once, before it reads anything, is one."""

    def __init__(self) -> None:
        self.count = 0
        self.client_has_the_word = False

    def client_sent(self) -> None:
        """A round trip begins with the first of what the client sends after it last heard something."""
        if not self.client_has_the_word:
            self.count += 1
        self.client_has_the_word = True

    def server_sent(self) -> None:
        """The client may have read an answer."""
        self.client_has_the_word = False


@asynccontextmanager
async def counted(url: str) -> AsyncIterator[tuple[str, RoundTrips]]:
    """The URL by which the same database is reached through a counter, for one connection at a time."""
    parts = urlsplit(url)
    trips = RoundTrips()

    async def pass_on(near: asyncio.StreamReader, far: asyncio.StreamWriter, *, from_client: bool) -> None:
        while data := await near.read(1 << 16):
            if from_client:
                trips.client_sent()
            else:
                trips.server_sent()
            far.write(data)
            await far.drain()
        far.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection(parts.hostname, parts.port)
        await asyncio.gather(
            pass_on(reader, server_writer, from_client=True),
            pass_on(server_reader, writer, from_client=False),
            return_exceptions=True,
        )

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    account = f"{parts.username}:{parts.password}@" if parts.username else ""
    try:
        yield urlunsplit(parts._replace(netloc=f"{account}127.0.0.1:{port}")), trips
    finally:
        server.close()
