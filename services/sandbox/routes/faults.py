"""Fault scripts: what is to go wrong, how often, and with which probability."""

from collections.abc import Set

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from services.sandbox.domain.faults import Fault, FaultScript
from services.sandbox.domain.refusals import SandboxRefusal
from services.sandbox.store import faults
from services.sandbox.world import World


class FaultBody(BaseModel):
    """One script; `operation` is a method name, `notify` for what the provider sends, or `*` for any call."""

    model_config = ConfigDict(extra="forbid")

    operation: str = Field(min_length=1, max_length=80)
    fault: Fault
    times: int = Field(default=1, ge=1, le=1_000_000)
    probability: float = Field(default=1.0, gt=0, le=1)
    seconds: float = Field(default=15.0, ge=0, le=120, description="How long slow answers and hung calls take.")
    code: str = Field(default="", max_length=80, description="What business_error answers.")


def build_router(world: World, providers: Set[str]) -> APIRouter:
    router = APIRouter(prefix="/_sim/faults", tags=["faults"])

    @router.get("/{provider}")
    async def list_faults(provider: str) -> list[FaultBody]:
        _check(provider, providers)
        with world.db.reading() as tx:
            return [FaultBody.model_validate(script, from_attributes=True) for script in faults.list_all(tx, provider)]

    @router.put("/{provider}")
    async def script_faults(provider: str, body: list[FaultBody]) -> list[FaultBody]:
        """Replace all scripts of the provider."""
        _check(provider, providers)
        scripts = [
            FaultScript(f.operation.removeprefix("alipay."), f.fault, f.times, f.probability, f.seconds, f.code)
            for f in body[:100]
        ]
        with world.db.transaction() as tx:
            faults.replace_all(tx, provider, scripts)
        return body[:100]

    @router.delete("/{provider}", status_code=204)
    async def clear_faults(provider: str) -> None:
        _check(provider, providers)
        with world.db.transaction() as tx:
            faults.replace_all(tx, provider, [])

    return router


def _check(provider: str, providers: Set[str]) -> None:
    if provider not in providers:
        raise SandboxRefusal(404, "provider_unknown", "没有这个服务商", "There is no such provider here.")
