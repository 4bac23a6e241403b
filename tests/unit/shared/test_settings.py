"""Production has no movable clock, and secrets do not show."""

import pytest
from pydantic import ValidationError

from shared.settings import ServiceSettings

COMMON = {
    "port": 8001,
    "database_url": "postgresql://catalog:secret@db/groupbuy",
    "amqp_url": "amqp://catalog:secret@broker/",
    "issuer": "https://issuer",
    "jwks_url": "https://issuer/jwks",
}


def test_a_clock_that_can_be_moved_is_refused_in_production() -> None:
    movable = {**COMMON, "clock_url": "http://sandbox:8006/clock"}
    assert ServiceSettings.model_validate({**movable, "environment": "development"}).clock_url
    assert ServiceSettings.model_validate({**COMMON, "environment": "production"}).clock_url is None
    with pytest.raises(ValidationError, match="refused in production"):
        ServiceSettings.model_validate({**movable, "environment": "production"})


def test_secrets_do_not_appear_in_a_representation() -> None:
    settings = ServiceSettings.model_validate({**COMMON, "seal_keys": {"catalog": {"k1": "c2VjcmV0"}}})
    assert "secret" not in repr(settings)
    assert "c2VjcmV0" not in repr(settings)
