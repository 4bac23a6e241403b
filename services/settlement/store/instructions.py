"""Instructions: each a guarded change of one payment to one merchant, and of the uses that it pays for."""

from uuid import UUID

from services.settlement.domain.payouts import Instruction, InstructionState
from services.settlement.store.runs import FEE_SHARE
from shared.contracts.catalog import Rail
from shared.contracts.settlement import PaidUse
from shared.database import Row, Transaction

_INSTRUCTION = """i.instruction_id, i.payout_id, i.merchant_id, i.order_id, i.rail, i.sub_merchant_id, i.trade_no,
    i.out_trade_no, i.gross_fen, i.fee_fen, i.state, i.attempts, i.denials,
    i.offset_fen, i.sealed_payee, i.sealed_payee_name, i.payee_name"""

# As many unsent transfers are looked at before one takes its part of a debt. Beyond, the part may be another one than
# the preview said, and the debt is still taken once.
_UNSENT_MAX = 1_000


def _read(row: Row) -> Instruction:
    return Instruction(
        instruction_id=row["instruction_id"],
        payout_id=row["payout_id"],
        merchant_id=row["merchant_id"],
        order_id=row["order_id"],
        rail=Rail(row["rail"]),
        sub_merchant_id=row["sub_merchant_id"],
        trade_no=row["trade_no"],
        out_trade_no=row["out_trade_no"],
        gross_fen=row["gross_fen"],
        fee_fen=row["fee_fen"],
        state=InstructionState(row["state"]),
        attempts=row["attempts"],
        denials=row["denials"],
        offset_fen=row["offset_fen"],
        sealed_payee=row["sealed_payee"],
        sealed_payee_name=row["sealed_payee_name"],
        payee_name=row["payee_name"],
    )


async def find_instruction(tx: Transaction, instruction_id: UUID) -> Instruction | None:
    row = await tx.row(f"select {_INSTRUCTION} from instructions i where instruction_id = $1", instruction_id)
    return None if row is None else _read(row)


async def begin_sending(tx: Transaction, instruction_id: UUID) -> Instruction | None:
    """Note that a call is about to be made. None if nothing is to be sent now: it is finished, its merchant is not
    verified (any more, or again), or it was never sent and the payout account is not."""
    row = await tx.row(
        f"""update instructions i set state = 'SENT', attempts = i.attempts + 1, sent_at = coalesce(i.sent_at, $2),
              changed_at = case when i.state = 'DUE' then now() else i.changed_at end,
              sealed_payee = case when i.state = 'DUE' then a.sealed_account else i.sealed_payee end,
              sealed_payee_name = case when i.state = 'DUE' then a.sealed_holder else i.sealed_payee_name end,
              payee_name = case when i.state = 'DUE' then m.name else i.payee_name end
            from merchants m, payout_accounts a
            where i.instruction_id = $1 and m.merchant_id = i.merchant_id and a.merchant_id = i.merchant_id
              and m.state = 'VERIFIED'
              and (i.state in ('SENT', 'UNKNOWN') or i.state = 'DUE' and a.state = 'VERIFIED')
            returning {_INSTRUCTION}""",
        instruction_id,
        tx.now,
    )
    return None if row is None else _read(row)


async def lock_debt(tx: Transaction, merchant_id: UUID) -> int:
    """What a merchant owes of transfers that arrived, less what later ones pay off or are about to, in fen. However
    many instructions leave at the same time, they queue here, and each of them counts those before it."""
    await tx.execute("select pg_advisory_xact_lock(hashtextextended('settlement.offset ' || $1, 0))", str(merchant_id))
    return await debt(tx, merchant_id)


async def debt(tx: Transaction, merchant_id: UUID) -> int:
    """The same, to be shown."""
    return int(
        await tx.value("select owed_fen from debts where merchant_id = $1 and rail = 'TRANSFER'", merchant_id) or 0
    )


async def unsent_transfers(tx: Transaction, merchant_id: UUID, before: Instruction | None = None) -> list[int]:
    """What a merchant's transfers that have not left would move, the largest first; of one that is leaving now, only
    those that take of a debt before it."""
    net_fen, instruction_id = (before.gross_fen - before.fee_fen, before.instruction_id) if before else (None, None)
    rows = await tx.fetch(
        """select gross_fen - fee_fen as net_fen from instructions
           where merchant_id = $1 and state = 'DUE' and rail = 'TRANSFER'
             and ($2::bigint is null or gross_fen - fee_fen > $2
                  or gross_fen - fee_fen = $2 and instruction_id < $3::uuid)
           order by gross_fen - fee_fen desc, instruction_id limit $4""",
        merchant_id,
        net_fen,
        instruction_id,
        _UNSENT_MAX,
    )
    return [row["net_fen"] for row in rows]


async def set_offset(tx: Transaction, instruction_id: UUID, offset_fen: int) -> bool:
    """Let an instruction that was just taken up for its first call pay off a part of its merchant's debt, once."""
    return bool(
        await tx.execute(
            """update instructions set offset_fen = $2
               where instruction_id = $1 and state = 'SENT' and attempts = 1 and offset_fen = 0""",
            instruction_id,
            offset_fen,
        )
    )


async def lock_uses(tx: Transaction, instruction_id: UUID) -> None:
    """Uses are locked before their instruction everywhere, so that a refund and a result never wait for each other."""
    await tx.fetch("select from uses where instruction_id = $1 order by unit_id, use_no for update", instruction_id)


async def mark_paid(tx: Transaction, instruction_id: UUID, fee_fen: int | None) -> Instruction | None:
    """SENT or UNKNOWN → PAID, with the fee that the channel says it took; None if it is decided already."""
    row = await tx.row(
        f"""update instructions i set state = 'PAID', paid_at = $2, taken_fee_fen = $3, changed_at = now()
            where instruction_id = $1 and state in ('SENT', 'UNKNOWN') returning {_INSTRUCTION}""",
        instruction_id,
        tx.now,
        fee_fen,
    )
    return None if row is None else _read(row)


async def settle_uses(tx: Transaction, instruction_id: UUID) -> list[PaidUse]:
    """CLAIMED → PAID for the uses of a paid instruction; those refunded meanwhile are settled too, and stay owed."""
    rows = await tx.fetch(
        """update uses set state = case when state = 'CLAIMED' then 'PAID' else state end, settled_at = $2,
             changed_at = now()
           where instruction_id = $1 and settled_at is null returning unit_id, use_no, state""",
        instruction_id,
        tx.now,
    )
    return [PaidUse(unit_id=row["unit_id"], use_no=row["use_no"]) for row in rows if row["state"] == "PAID"]


async def mark_undecided(tx: Transaction, instruction_id: UUID, state: InstructionState, code: str, text: str) -> bool:
    """SENT → UNKNOWN, or back to DUE when the call certainly never left; False if it is decided already."""
    return bool(
        await tx.execute(
            """update instructions set state = $2, answer_code = $3, answer_text = $4,
                 offset_fen = case when $2 = 'DUE' then 0 else offset_fen end,
                 attempts = case when $2 = 'DUE' then 0 else attempts end
               where instruction_id = $1 and state in ('SENT', 'UNKNOWN')""",
            instruction_id,
            state.value,
            code,
            text,
        )
    )


async def count_denial(tx: Transaction, instruction_id: UUID) -> int:
    """The channel denies this payment once more. Returns how often it has; 0 if it is decided already."""
    denials = await tx.value(
        """update instructions set denials = denials + 1
           where instruction_id = $1 and state in ('SENT', 'UNKNOWN') returning denials""",
        instruction_id,
    )
    return int(denials or 0)


async def mark_failed(tx: Transaction, instruction_id: UUID, code: str, text: str) -> Instruction | None:
    """SENT or UNKNOWN → FAILED; None if it is decided already."""
    row = await tx.row(
        f"""update instructions i set state = 'FAILED', offset_fen = 0, answer_code = $2, answer_text = $3,
              changed_at = now()
            where instruction_id = $1 and state in ('SENT', 'UNKNOWN') returning {_INSTRUCTION}""",
        instruction_id,
        code,
        text,
    )
    return None if row is None else _read(row)


async def forgive_owed(tx: Transaction, instruction_id: UUID) -> int:
    """What was refunded while a payout that now failed was under way is not owed after all. Returns that sum in fen."""
    return int(
        await tx.value(
            """with freed as (
                 update uses u set owed_fen = 0, instruction_id = null, fee_fen = null, changed_at = now()
                 from (select unit_id, use_no, owed_fen from uses where instruction_id = $1 and state = 'REFUNDED') was
                 where u.unit_id = was.unit_id and u.use_no = was.use_no returning was.owed_fen)
               select coalesce(sum(owed_fen), 0)::bigint from freed""",
            instruction_id,
        )
    )


async def withdraw(tx: Transaction, unit_id: UUID, use_no: int) -> bool:
    """Take a locked, claimed use out of its instruction if no money left with it: not sent yet, or definitely failed.
    False if it has left or may have."""
    row = await tx.row(
        """update instructions i set changed_at = now(),
             gross_fen = case when i.state = 'DUE' then i.gross_fen - u.merchant_fen else i.gross_fen end,
             fee_fen = case when i.state = 'DUE' then ((i.gross_fen - u.merchant_fen) * i.fee_bp + 5000) / 10000
                       else i.fee_fen end,
             state = case when i.state = 'DUE' and i.gross_fen = u.merchant_fen then 'WITHDRAWN' else i.state end
           from uses u
           where u.unit_id = $1 and u.use_no = $2 and u.state = 'CLAIMED'
             and i.instruction_id = u.instruction_id and i.state in ('DUE', 'FAILED')
           returning i.instruction_id""",
        unit_id,
        use_no,
    )
    return row is not None


async def share_fee_anew(tx: Transaction, instruction_id: UUID) -> None:
    """Let the fee of an instruction fall again on the uses that are left in it."""
    await tx.execute(
        f"""update uses u set changed_at = now(),
              fee_fen = {FEE_SHARE.format(total="t.total", part="t.merchant_fen", bp="t.fee_bp")}
            from (select u.unit_id, u.use_no, u.merchant_fen, i.fee_bp,
                    sum(u.merchant_fen) over (order by u.unit_id, u.use_no)::bigint as total
                  from uses u join instructions i using (instruction_id)
                  where instruction_id = $1 and u.state = 'CLAIMED') t
            where u.unit_id = t.unit_id and u.use_no = t.use_no""",
        instruction_id,
    )


async def renew(tx: Transaction, failed_id: UUID, fresh_id: UUID) -> bool:
    """A new instruction, with a new number, for what a failed one still has to pay; False if there is nothing."""
    made = await tx.execute(
        """insert into instructions (instruction_id, payout_id, order_id, merchant_id, rail, sub_merchant_id, trade_no,
             out_trade_no, gross_fen, fee_bp, fee_fen, state, retry_of)
           select $2, i.payout_id, i.order_id, i.merchant_id, i.rail, i.sub_merchant_id, i.trade_no, i.out_trade_no,
             left_fen, i.fee_bp, (left_fen * i.fee_bp + 5000) / 10000, 'DUE', i.instruction_id
           from instructions i, lateral (
             select coalesce(sum(merchant_fen), 0)::bigint as left_fen from uses
             where instruction_id = i.instruction_id and state = 'CLAIMED') remaining
           where i.instruction_id = $1 and i.state = 'FAILED' and left_fen > 0
           on conflict (retry_of) do nothing""",
        failed_id,
        fresh_id,
    )
    if made:
        await tx.execute(
            "update uses set instruction_id = $2, changed_at = now() where instruction_id = $1 and state = 'CLAIMED'",
            failed_id,
            fresh_id,
        )
        await share_fee_anew(tx, fresh_id)
    return bool(made)


async def retry_of(tx: Transaction, failed_id: UUID) -> Instruction | None:
    """The instruction that replaced a failed one."""
    row = await tx.row(f"select {_INSTRUCTION} from instructions i where retry_of = $1", failed_id)
    return None if row is None else _read(row)


async def correct_fee(tx: Transaction, instruction_id: UUID, taken_fen: int) -> tuple[Instruction, int] | None:
    """Note what the channel really took for a paid instruction; returns it and the difference to what stood here,
    or None when nothing changes."""
    row = await tx.row(
        f"""update instructions i set taken_fee_fen = $2, changed_at = now()
            from (select instruction_id, coalesce(taken_fee_fen, fee_fen) as fee_fen from instructions
                  where instruction_id = $1 for update) before
            where i.instruction_id = before.instruction_id and i.state = 'PAID' and before.fee_fen <> $2
            returning {_INSTRUCTION}, $2 - before.fee_fen as by_fen""",
        instruction_id,
        taken_fen,
    )
    return None if row is None else (_read(row), row["by_fen"])
