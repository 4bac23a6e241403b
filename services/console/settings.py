"""The console's environment variables: where a local system lives, and where to find one that runs elsewhere."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.console.environment import PORTS

LOOPBACK = "127.0.0.1"


class Settings(BaseSettings):
    """Ports are those of the demo; any of them can be moved when it is taken."""

    model_config = SettingsConfigDict(env_prefix="GROUPBUY_", extra="ignore")

    var: Path = Field(default=Path("var"), description="Everything a local system keeps: data, keys, logs, pid files")
    web_port: int = PORTS["web"]
    catalog_port: int = PORTS["catalog"]
    checkout_port: int = PORTS["checkout"]
    redemption_port: int = PORTS["redemption"]
    dispatch_port: int = PORTS["dispatch"]
    settlement_port: int = PORTS["settlement"]
    sandbox_port: int = PORTS["sandbox"]
    postgres_port: int = 15432
    rabbitmq_port: int = 15673
    rabbitmq_management_port: int = 15674

    @property
    def ports(self) -> dict[str, int]:
        """The HTTP port of each process."""
        return {name: getattr(self, f"{name}_port") for name in PORTS}

    @property
    def urls(self) -> dict[str, str]:
        """The HTTP address of each process."""
        return {name: f"http://{LOOPBACK}:{port}" for name, port in self.ports.items()}
