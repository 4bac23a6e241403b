"""The containers are given the same settings as the local processes, and nothing of them is open to the network."""

import re
from pathlib import Path
from typing import Any

import pytest

from services.console.environment import PORTS, Local, environment
from shared.contracts import SERVICES

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).parents[3]
# In containers an address differs between the inside and a browser outside.
ONLY_IN_CONTAINERS = {"GROUPBUY_ALIPAY__PAGE_GATEWAY_URL", "GROUPBUY_ISSUER_BACKCHANNEL_URL"}


@pytest.fixture(scope="module")
def containers() -> dict[str, Any]:
    compose: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    services: dict[str, Any] = compose["services"]
    return services


@pytest.fixture
def local(tmp_path: Path) -> Local:
    urls = {name: f"somewhere://{name}" for name in PORTS}
    return Local(var=tmp_path, ports=PORTS, database_urls=urls, amqp_urls=urls)


@pytest.mark.parametrize("process", PORTS)
def test_a_container_has_every_setting_of_the_local_process(
    containers: dict[str, Any], local: Local, process: str
) -> None:
    wanted = {name for name in environment(process, local) if name.startswith("GROUPBUY_")}
    given = set(containers[process]["environment"])
    if process in ("web", "sandbox"):  # these read fewer than the local starter gives to all
        wanted &= given
    assert given - ONLY_IN_CONTAINERS == wanted


@pytest.mark.parametrize("process", [*SERVICES, "web"])
def test_a_container_has_seal_keys_for_the_same_recipients(
    containers: dict[str, Any], local: Local, process: str
) -> None:
    def recipients(text: str) -> list[str]:
        return re.findall(r'"(\w+)": \{', text)

    given = containers[process]["environment"]["GROUPBUY_SEAL_KEYS"]
    assert recipients(given) == recipients(environment(process, local)["GROUPBUY_SEAL_KEYS"])


def test_ports_are_published_on_the_loopback_address_only(containers: dict[str, Any]) -> None:
    published = [port for container in containers.values() for port in container.get("ports", [])]
    assert len(published) == len(PORTS)
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_a_process_starts_only_when_what_it_needs_is_healthy_or_done(containers: dict[str, Any]) -> None:
    for service in SERVICES:
        conditions = {name: needed["condition"] for name, needed in containers[service]["depends_on"].items()}
        assert conditions == {
            "migrate": "service_completed_successfully",
            "keys": "service_completed_successfully",
            "rabbitmq": "service_healthy",
            "sandbox": "service_healthy",
        }


def test_the_database_is_set_up_for_exactly_the_services_of_the_contracts() -> None:
    script = (ROOT / "deploy" / "postgres" / "init.sh").read_text()
    listed = re.search(r"for service in ([a-z ]+);", script)
    assert listed is not None
    assert listed[1].split() == list(SERVICES)
