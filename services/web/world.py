"""What routes reach besides the visitor: the services, the seals, the settings."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from services.web.gateways import Backends
from services.web.sealed_cookies import CookieSeals
from services.web.settings import Settings
from shared.clock import Clock


@dataclass(frozen=True, slots=True)
class World:
    settings: Settings
    services: Backends
    seals: CookieSeals
    clock: Clock


def _world(request: Request) -> World:
    world: World = request.app.state.world
    return world


Outside = Annotated[World, Depends(_world)]
