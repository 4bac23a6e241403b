"""A taken port is named together with who holds it and how to choose another."""

import os
import socket

import pytest

from services.console.local.errors import LocalError
from services.console.local.ports import LOOPBACK, free_port, is_free, port_holder, require_free


def test_a_port_that_nobody_listens_on_is_free() -> None:
    port = free_port()
    assert is_free(port)
    require_free(port, "the shop", "GROUPBUY_SHOP_PORT")
    assert port_holder(port) is None


def test_a_taken_port_is_refused_with_its_holder_and_the_variable_that_moves_it() -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(LocalError) as refused:
            require_free(port, "the shop", "GROUPBUY_SHOP_PORT")
    assert refused.value.code == "port_taken"
    for text in (refused.value.en, refused.value.zh):
        assert str(port) in text
        assert str(os.getpid()) in text
        assert "GROUPBUY_SHOP_PORT" in text


def test_a_listener_on_all_addresses_takes_the_loopback_port_too() -> None:
    with socket.create_server(("", 0)) as server:
        port = server.getsockname()[1]
        assert not is_free(port)
        holder = port_holder(port)
    assert holder is not None
    assert holder.pid == os.getpid()
