"""What catalog's routes reach beside the database: the keys that seal a payout account."""

from dataclasses import dataclass

from shared.sealed import Seals


@dataclass(frozen=True, slots=True)
class CatalogWorld:
    """Handed to every route by the shell."""

    seals: Seals
