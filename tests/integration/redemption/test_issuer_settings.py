"""Who names an issuer, which addresses and secrets are taken, and which signatures hold."""

from datetime import timedelta

import pytest

from services.redemption.domain.refusals import IssuerUrlRefused
from services.redemption.use_cases import issuing
from shared.contracts.catalog import StaffRole
from shared.ids import new_id
from tests.integration.redemption.stage import (
    Stage,
    as_,
)
from tests.integration.redemption.third_party import (
    SECRET,
    Deal,
    deal_of,
    name_issuer,
)


@pytest.mark.parametrize("secret", ["x" * 31, "x" * 201, "x" * 40 + "\u0000", "密" * 40])
async def test_a_secret_that_is_short_or_cannot_be_typed_is_refused(stage: Stage, secret: str) -> None:
    answer = await name_issuer(await deal_of(stage), secret=secret)
    assert (answer.status_code, answer.json()["code"]) == (422, "malformed_input")
    assert secret not in answer.text


async def test_the_secret_is_written_and_never_read(stage: Stage, deal: Deal) -> None:
    path = f"/merchants/{deal.shop.merchant_id}/code-issuer"
    shown = await stage.http.get(path, headers=as_(deal.shop.clerk))
    assert set(shown.json()) == {"url", "changed_at"}
    async with stage.db.transaction() as tx:
        row = await tx.row("select * from code_issuers where merchant_id = $1", deal.shop.merchant_id)
    assert row is not None
    assert SECRET not in str(dict(row)) + shown.text


@pytest.mark.parametrize("role", [StaffRole.MANAGER, StaffRole.CLERK, StaffRole.FINANCE])
async def test_only_the_owner_names_the_issuer_and_sees_it(stage: Stage, deal: Deal, role: StaffRole) -> None:
    await stage.keep_staff(deal.shop, version=3, role=role)
    assert (await name_issuer(deal)).status_code == 403
    path = f"/merchants/{deal.shop.merchant_id}/code-issuer"
    assert (await stage.http.get(path, headers=as_(deal.shop.clerk))).status_code == 403


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/codes",
        "ftp://example.com/codes",
        "https://user:pass@example.com/",
        "https://10.0.0.8/codes",
        "https://169.254.169.254/latest",
        "https://[::ffff:192.168.1.1]/",
        "https://[fd00::1]/",
        "not a url",
    ],
)
async def test_an_address_that_is_not_public_https_is_refused(stage: Stage, url: str) -> None:
    deal = await deal_of(stage)
    answer = await name_issuer(deal, url)
    assert (answer.status_code, answer.json()["code"]) == (422, "issuer_url_refused")


async def test_in_production_loopback_is_refused_as_well(stage: Stage) -> None:
    deal = await deal_of(stage)
    async with stage.db.transaction() as tx:
        with pytest.raises(IssuerUrlRefused):
            await issuing.set_issuer(
                tx,
                stage.codes,
                deal.shop.merchant_id,
                deal.shop.clerk,
                "http://127.0.0.1:8006/",
                SECRET,
                allow_loopback=False,
            )


@pytest.mark.parametrize("why", ["wrong secret", "old", "early", "other path", "other merchant", "unsigned"])
async def test_what_is_not_signed_rightly_and_lately_is_refused(stage: Stage, deal: Deal, why: str) -> None:
    path, content = f"issued-codes/{new_id()}", {"codes": [{"unit_id": str(new_id()), "code": "A"}]}
    if why == "wrong secret":
        answer = await deal.signed_put(path, content, secret=SECRET[::-1])
    elif why in ("old", "early"):
        answer = await deal.signed_put(path, content, age=timedelta(seconds=310 if why == "old" else -310))
    elif why == "other merchant":
        answer = await (await deal_of(stage)).signed_put(path, content)
    else:
        right = await deal.signed_put(path, content)
        assert right.status_code == 404, "the signature holds, there is no such order"
        headers = dict(right.request.headers) if why == "other path" else {"content-type": "application/json"}
        target = f"/merchants/{deal.shop.merchant_id}/issued-codes/{new_id()}"
        answer = await stage.http.put(target, content=right.request.content, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature")
