"""Who can sign in to the sandbox, and the proof keys of a code exchange."""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass

TOKEN_LIFE_S = 600
CODE_LIFE_S = 60
REFRESH_LIFE_S = 30 * 86_400
AUDIENCE = "groupbuy"

_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}")
_CHALLENGE = re.compile(r"[A-Za-z0-9\-_]{43}")


@dataclass(frozen=True, slots=True)
class Persona:
    """A ready-made person; `id` is also the subject of its tokens."""

    id: str
    name_zh: str
    name_en: str
    role: str


PERSONAS = (
    Persona("buyer-an", "阿May", "May, a buyer", "buyer"),
    Persona("buyer-bo", "椰子冻", "Coconut Jelly, a buyer", "buyer"),
    Persona("buyer-chen", "小陈", "Chen, a buyer", "buyer"),
    Persona("merchant-hotpot", "老码头火锅·老板", "Old Pier Hotpot, owner", "merchant"),
    Persona("clerk-hotpot", "老码头火锅·店员", "Old Pier Hotpot, clerk", "clerk"),
    Persona("merchant-fruit", "鲜果·老板", "Fresh Fruit, owner (ships goods)", "merchant"),
    Persona("rider-fruit", "鲜果·骑手", "Fresh Fruit, own rider", "rider"),
    Persona("merchant-hotel", "海湾酒店·老板", "Bay Hotel, owner", "merchant"),
    Persona("operator-one", "平台运营", "Platform operator", "operator"),
)

ROLE_TITLES = (
    ("买家 Buyers", ("buyer",)),
    ("商家 Merchants", ("merchant", "clerk", "rider")),
    ("平台 Platform", ("operator",)),
)


def find_persona(persona_id: str) -> Persona | None:
    return next((persona for persona in PERSONAS if persona.id == persona_id), None)


def is_challenge(text: str) -> bool:
    """Whether this can be an S256 code_challenge (RFC 7636)."""
    return _CHALLENGE.fullmatch(text) is not None


def proves(verifier: str, challenge: str) -> bool:
    """Whether the code_verifier belongs to the S256 challenge."""
    if not _VERIFIER.fullmatch(verifier):
        return False
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    return hmac.compare_digest(digest, challenge.encode())
