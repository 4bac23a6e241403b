"""The people of a merchant: who sees them, and how many there may be."""

from services.catalog.domain.staff import ACTIVE_STAFF
from shared.ids import new_id
from tests.integration.catalog.shop import OPERATOR, Catalog, put_staff, ready_shop


async def test_owners_and_managers_see_who_works_and_who_worked_page_by_page(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    _, manager = await put_staff(catalog, shop, "MANAGER")
    staff_id, clerk = await put_staff(catalog, shop, "CLERK", store_ids=[str(shop.store_id)])
    left = {"subject": clerk, "role": "CLERK", "active": False}
    await catalog.put(shop.owner, f"/merchants/{shop.merchant_id}/staff/{staff_id}", left)
    for subject in (shop.owner, manager):
        seen: list[tuple[str, str, bool]] = []
        path: str | None = f"/merchants/{shop.merchant_id}/staff?limit=1"
        while path:
            page = (await catalog.get(subject, path)).json()
            seen += [(one["subject"], one["role"], one["active"]) for one in page["items"]]
            cursor = page["next_cursor"]
            path = cursor and f"/merchants/{shop.merchant_id}/staff?limit=1&cursor={cursor}"
        assert sorted(seen) == sorted(
            [(shop.owner, "OWNER", True), (manager, "MANAGER", True), (clerk, "CLERK", False)]
        )


async def test_nobody_else_sees_them(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    people = [(await put_staff(catalog, shop, role))[1] for role in ("CLERK", "FINANCE", "RIDER")]
    for subject in (*people, "stranger", OPERATOR):
        assert (await catalog.get(subject, f"/merchants/{shop.merchant_id}/staff")).status_code == 403


async def test_a_manager_gives_nobody_a_place(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    staff_id, manager = await put_staff(catalog, shop, "MANAGER")
    for subject, role, place in (
        ("friend", "OWNER", new_id()),
        ("friend", "CLERK", new_id()),
        (manager, "OWNER", staff_id),
    ):
        body = {"subject": subject, "role": role}
        answer = await catalog.put(manager, f"/merchants/{shop.merchant_id}/staff/{place}", body)
        assert answer.status_code == 403


async def test_at_most_a_thousand_people_work_at_a_merchant_at_once(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    staff_id, clerk = await put_staff(catalog, shop, "CLERK")
    async with catalog.db.transaction() as tx:
        # Written past the use case: a thousand requests would only be slow.
        await tx.execute(
            """insert into staff (staff_id, version, subject, merchant_id, role, store_ids, active)
               select gen_random_uuid(), 1, 'many-' || gen_random_uuid(), $1, 'CLERK', '{}', true
               from generate_series(1, $2)""",
            shop.merchant_id,
            ACTIVE_STAFF - 2,
        )
    path = f"/merchants/{shop.merchant_id}/staff"
    one_more = {"subject": f"clerk-{new_id()}", "role": "CLERK"}
    refused = await catalog.put(shop.owner, f"{path}/{new_id()}", one_more)
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_staff")
    changed = await catalog.put(shop.owner, f"{path}/{staff_id}", {"subject": clerk, "role": "FINANCE"})
    assert changed.status_code == 200
    await catalog.put(shop.owner, f"{path}/{staff_id}", {"subject": clerk, "role": "FINANCE", "active": False})
    assert (await catalog.put(shop.owner, f"{path}/{new_id()}", one_more)).status_code == 200
