"""The environment variables with which each process of a local system starts: one place for the demo and the tests."""

import base64
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from services.console.local import secret_files
from shared.contracts import SERVICES

PORTS = {
    "web": 8000,
    "catalog": 8001,
    "checkout": 8002,
    "redemption": 8003,
    "dispatch": 8004,
    "settlement": 8005,
    "sandbox": 8006,
}
FIRST_OPERATOR = "operator-one"

# Who seals for whom: a process gets no key that it has no use for.
_SEALS = {
    "catalog": ("catalog", "settlement"),
    "checkout": ("checkout", "dispatch", "phone"),
    "redemption": ("phone", "redemption"),
    "dispatch": ("dispatch",),
    "settlement": ("settlement",),
    "web": ("web",),
}
# What a child needs of the machine; everything else of the starter's environment stays outside.
_PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE", "VIRTUAL_ENV", "PYTHONHASHSEED")


@dataclass(frozen=True, slots=True)
class Local:
    """Where everything of one local system is."""

    var: Path
    ports: Mapping[str, int]
    database_urls: Mapping[str, str]
    amqp_urls: Mapping[str, str]

    def url(self, service: str) -> str:
        """The HTTP address of a process."""
        return f"http://127.0.0.1:{self.ports[service]}"

    @property
    def keys(self) -> Path:
        """The directory of PEM files and seal keys."""
        return self.var / "keys"


def seal_keys(directory: Path) -> dict[str, dict[str, str]]:
    """The sealing keys of a local system, made at the first call and kept in a file that only its owner reads."""
    path = directory / "seals.json"
    keys: dict[str, dict[str, str]] = json.loads(secret_files.read_or_create(path, lambda: json.dumps(_missing({}))))
    if missing := _missing(keys):
        # A system that was made before there was this recipient keeps the keys that it has.
        keys |= missing
        secret_files.write(path, json.dumps(keys))
    return keys


def _missing(keys: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    recipients = sorted({recipient for many in _SEALS.values() for recipient in many} - keys.keys())
    return {name: {"k1": base64.b64encode(secrets.token_bytes(32)).decode()} for name in recipients}


def environment(service: str, local: Local) -> dict[str, str]:
    """Everything `python -m services.<service>` reads from its environment."""
    common = {
        **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
        "PYTHONUNBUFFERED": "1",
        "GROUPBUY_ENVIRONMENT": "development",
        "GROUPBUY_HOST": "127.0.0.1",
        "GROUPBUY_PORT": str(local.ports[service]),
        "GROUPBUY_ISSUER": local.url("sandbox"),
        "GROUPBUY_JWKS_URL": f"{local.url('sandbox')}/oauth/jwks.json",
    }
    if service == "sandbox":
        return {**common, **_sandbox(local)}
    keys = seal_keys(local.keys)
    sealing = json.dumps({recipient: keys[recipient] for recipient in _SEALS[service]})
    common["GROUPBUY_SEAL_KEYS"] = sealing
    if service == "web":
        return {**common, **_web(local)}
    own = {
        "GROUPBUY_DATABASE_URL": local.database_urls[service],
        "GROUPBUY_AMQP_URL": local.amqp_urls[service],
        "GROUPBUY_CLOCK_URL": f"{local.url('sandbox')}/clock",
    }
    extra = {"catalog": _catalog, "checkout": _checkout, "dispatch": _dispatch, "settlement": _settlement}
    return {**common, **own, **(extra[service](local) if service in extra else {})}


def _sandbox(local: Local) -> dict[str, str]:
    return {
        "GROUPBUY_SANDBOX_HOST": "127.0.0.1",
        "GROUPBUY_SANDBOX_PORT": str(local.ports["sandbox"]),
        "GROUPBUY_SANDBOX_PUBLIC_URL": local.url("sandbox"),
        "GROUPBUY_SANDBOX_CARRIERS_CALLBACK_URL": f"{local.url('dispatch')}/webhooks",
        "GROUPBUY_SANDBOX_STATE": str(local.var / "sandbox" / "state.sqlite3"),
        "GROUPBUY_SANDBOX_KEYS": str(local.keys),
        "GROUPBUY_AMQP_URL": local.amqp_urls["sandbox"],
    }


def _web(local: Local) -> dict[str, str]:
    urls = {f"GROUPBUY_{service.upper()}_URL": local.url(service) for service in SERVICES}
    return {
        **urls,
        "GROUPBUY_PUBLIC_URL": local.url("web"),
        "GROUPBUY_OIDC_CLIENT_ID": "groupbuy-web",
        "GROUPBUY_CLOCK_URL": f"{local.url('sandbox')}/clock",
    }


def _alipay(local: Local) -> dict[str, str]:
    return {
        "GROUPBUY_ALIPAY__GATEWAY_URL": f"{local.url('sandbox')}/alipay/gateway.do",
        "GROUPBUY_ALIPAY__APP_PRIVATE_KEY_FILE": str(local.keys / "app_private.pem"),
        "GROUPBUY_ALIPAY__ALIPAY_PUBLIC_KEY_FILE": str(local.keys / "alipay_public.pem"),
        "GROUPBUY_ALIPAY__NOTIFY_URL": f"{local.url('checkout')}/alipay/notify",
        "GROUPBUY_ALIPAY__RETURN_URL": f"{local.url('web')}/orders",
    }


def _catalog(_: Local) -> dict[str, str]:
    return {"GROUPBUY_FIRST_OPERATOR": FIRST_OPERATOR}


def _checkout(local: Local) -> dict[str, str]:
    return _alipay(local)


def _settlement(local: Local) -> dict[str, str]:
    return _alipay(local)


def _dispatch(local: Local) -> dict[str, str]:
    return {
        "GROUPBUY_CALLBACK_BASE_URL": local.url("dispatch"),
        "GROUPBUY_CARRIERS_URL": local.url("sandbox"),
    }
