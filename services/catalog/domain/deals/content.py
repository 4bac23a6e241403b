"""What a deal says."""

from enum import StrEnum
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, field_validator

from services.catalog.domain.deals.templates import Catering, Hotel, Tourism
from services.catalog.domain.text import Cover, Line, Paragraph, ShortLine
from shared.contracts.catalog import CashVoucherTerms, CodeSource, DealForm, DealKind, DeliveryTerms, RefundPolicy
from shared.contracts.use_rules import UseRules

Price = Annotated[int, Field(strict=True, ge=1, le=100_000_000)]
Quota = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
StoreIds = Annotated[tuple[UUID, ...], Field(min_length=1, max_length=500)]

_SHORT_LINE = TypeAdapter[str](ShortLine)


class Category(StrEnum):
    """餐饮, 酒店, 旅游 have a template of their own; OTHER has none."""

    CATERING = "CATERING"
    HOTEL = "HOTEL"
    TOURISM = "TOURISM"
    OTHER = "OTHER"


class DealItem(BaseModel):
    """One line of what the buyer gets. `portion` is how much one is: `1 份`, `500 g`."""

    model_config = ConfigDict(frozen=True)

    name: ShortLine
    quantity: Annotated[int, Field(strict=True, ge=1, le=10_000)]
    price_fen: Annotated[int, Field(strict=True, ge=0, le=100_000_000)]
    portion: Annotated[Line, Field(max_length=30)] = ""


class Booking(BaseModel):
    """Whether one must call before coming, and how long before."""

    model_config = ConfigDict(frozen=True)

    needed: bool = False
    hours_ahead: Annotated[int, Field(strict=True, ge=0, le=720)] = 0
    hint: Annotated[Line, Field(max_length=200)] = ""


class DealContent(BaseModel):
    """All that a deal says: edited as a draft, frozen as a version. `cover` is the name of a drawn cover, or a URL.

    `checks.py` says what each form and category must say and may not."""

    model_config = ConfigDict(frozen=True)

    form: DealForm
    category: Category
    title: ShortLine
    cover: Cover
    description: Paragraph = ""
    items: Annotated[tuple[DealItem, ...], Field(max_length=100)] = ()
    price_fen: Price
    original_price_fen: Price
    total_quota: Quota
    per_buyer_limit: Annotated[int, Field(strict=True, ge=0, le=1000, description="0: no limit")]
    sale_from: AwareDatetime
    sale_until: AwareDatetime
    rules: UseRules
    store_ids: StoreIds
    booking: Booking = Booking()
    refund_policy: RefundPolicy = RefundPolicy.ANY_TIME
    cash: CashVoucherTerms | None = None
    uses_per_unit: Annotated[int, Field(strict=True, ge=1, le=100)] = 1
    code_source: CodeSource | None = None
    delivery: DeliveryTerms | None = None
    catering: Catering | None = None
    hotel: Hotel | None = None
    tourism: Tourism | None = None

    @field_validator("delivery")
    @classmethod
    def _category_is_a_line(cls, delivery: DeliveryTerms | None) -> DeliveryTerms | None:
        """The contract leaves the category open; what a merchant writes there is a line like any other."""
        if delivery is not None:
            _SHORT_LINE.validate_python(delivery.category)
        return delivery

    @classmethod
    def read(cls, stored: dict[str, Any]) -> Self:
        """What `stored` once wrote. Versions never change, so those from before there were forms are read as what they
        were: sets or goods, of no category."""
        form = DealForm.GOODS if stored.get("kind") == DealKind.GOODS else DealForm.SET
        return cls.model_validate({"form": form, "category": Category.OTHER, **stored})

    def stored(self) -> dict[str, Any]:
        """For the database; with the kind, which processes from before there were forms still read."""
        return {**self.model_dump(mode="json"), "kind": self.form.kind.value}


def changed_fields(before: DealContent, after: DealContent) -> list[str]:
    """The names of the fields in which two contents differ, in the order in which a deal says them."""
    return [name for name in DealContent.model_fields if getattr(before, name) != getattr(after, name)]
