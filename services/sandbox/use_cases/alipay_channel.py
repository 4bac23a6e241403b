"""How Alipay words a notify, and the one word that ends it."""

import json
from dataclasses import dataclass
from urllib.parse import urlencode

from cryptography.hazmat.primitives.asymmetric import rsa

from services.sandbox.domain import rsa2
from services.sandbox.domain.times import Instant, wire_time
from services.sandbox.gateways import Answer
from services.sandbox.store.outgoing import Delivery
from services.sandbox.use_cases.sender import TAMPERED, Letter

_UNSIGNED = frozenset({"sign", "sign_type"})


@dataclass(frozen=True, slots=True)
class AlipayChannel:
    key: rsa.RSAPrivateKey
    intervals_s: tuple[float, ...]

    def compose(self, delivery: Delivery, at: Instant) -> Letter:
        """Signed anew at every attempt: notify_time moves, notify_id stays."""
        params: dict[str, str] = {**json.loads(delivery.body), "notify_time": wire_time(at.now)}
        params["sign"] = rsa2.sign(rsa2.content_to_sign(params, _UNSIGNED), self.key)
        params["sign_type"] = "RSA2"
        if delivery.flaw == TAMPERED:
            params["total_amount"] = "0.01"
        elif delivery.flaw:
            params["sign"] = rsa2.forge(params["sign"])
        return Letter(urlencode(params).encode(), "application/x-www-form-urlencoded; charset=utf-8")

    def is_acknowledged(self, answer: Answer) -> bool:
        """Exactly these seven characters; a page that contains them is not an acknowledgement."""
        return answer.status == 200 and answer.body == "success"
