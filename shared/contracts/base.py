"""What every event has: an id, a moment, and a topic that names its owner and version."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.ids import new_id

Fen = Annotated[int, Field(strict=True, ge=0)]
Count = Annotated[int, Field(strict=True, ge=0)]
Version = Annotated[int, Field(strict=True, ge=1)]
Sealed = Annotated[str, Field(description="Personal data, AES-256-GCM for one recipient service (shared/sealed.py)")]


class Contract(BaseModel):
    """A part of an event. Unknown fields are left alone: an added optional field keeps the version."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Event(Contract):
    """A fact in the past tense. `readers` are the queues bound to it; an event with readers is published mandatory."""

    topic: ClassVar[str]
    aggregate: ClassVar[str]
    readers: ClassVar[tuple[str, ...]] = ()

    event_id: UUID = Field(default_factory=new_id)
    occurred_at: AwareDatetime
    version: Version = Field(default=1, description="The aggregate's version after this event; keep the highest")

    @property
    def aggregate_id(self) -> str:
        """The id of what this event is about."""
        return str(getattr(self, self.aggregate))
