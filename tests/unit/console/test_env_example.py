"""The example environment says everything that can be set, and gives no secret away."""

import pytest
from pydantic import BaseModel, SecretStr
from pydantic_settings import BaseSettings

from services.console import env_example
from shared.contracts import SERVICES

PROCESSES = (*SERVICES, "web", "sandbox", "console")
# What a process cannot start without, so that its defaults can be read.
REQUIRED = {
    "GROUPBUY_DATABASE_URL": "postgresql://nobody@127.0.0.1/nothing",
    "GROUPBUY_AMQP_URL": "amqp://127.0.0.1/",
    "GROUPBUY_ISSUER": "http://127.0.0.1:8006",
    "GROUPBUY_JWKS_URL": "http://127.0.0.1:8006/oauth/jwks.json",
    "GROUPBUY_SEAL_KEYS": '{"catalog": {}, "settlement": {}, "checkout": {}, "dispatch": {}, "web": {}}',
}


def _block(title: str) -> str:
    return env_example.text().split(f"# --- {title} -")[1].split("# --- ")[0]


def _offered(title: str) -> dict[str, str]:
    lines = [line.removeprefix("#") for line in _block(title).splitlines() if not line.startswith("# ")]
    return {name: value for name, found, value in (line.partition("=") for line in lines) if found}


def _secrets(settings: BaseModel) -> list[str]:
    found: list[str] = []
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            found.append(value.get_secret_value())
        elif isinstance(value, BaseModel):
            found += _secrets(value)
    return found


@pytest.mark.parametrize("process", PROCESSES)
def test_every_default_that_is_shown_is_the_default(process: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)
    settings = env_example.settings_of(process)
    untouched: BaseSettings = settings()

    for name, value in _offered(process).items():
        if value:
            monkeypatch.setenv(name, value)

    assert settings().model_dump(exclude={"seal_keys"}) == untouched.model_dump(exclude={"seal_keys"})


@pytest.mark.parametrize("process", SERVICES)
def test_what_every_service_reads_stands_in_one_place(process: str) -> None:
    assert not _offered("every service").keys() & _offered(process).keys()
    assert {"GROUPBUY_DATABASE_URL", "GROUPBUY_SEAL_KEYS"} <= _offered("every service").keys()


@pytest.mark.parametrize("process", PROCESSES)
def test_no_secret_is_shown_not_even_one_of_development(process: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)
    secrets = [secret for secret in _secrets(env_example.settings_of(process)()) if secret]

    assert not [secret for secret in secrets if secret in env_example.text()]


def test_what_must_be_set_is_not_commented_out() -> None:
    required = [line for line in env_example.text().splitlines() if line and not line.startswith("#")]

    assert required == ["GROUPBUY_DATABASE_URL=", "GROUPBUY_AMQP_URL=", "GROUPBUY_ISSUER=", "GROUPBUY_JWKS_URL="]
