"""The `groupbuy` command: run the system on this machine, watch it work, and ask it for its books."""

import asyncio
import json
import signal
import threading
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, TypeVar

import httpx
import typer
from rich.console import Console
from rich.table import Table

from services.console import audit as auditing
from services.console import doctor as diagnosis
from services.console import reconcile as reconciling
from services.console import replay as replaying
from services.console import trigger as triggers
from services.console.environment import FIRST_OPERATOR
from services.console.journey import Journey
from services.console.local.errors import LocalError
from services.console.people import Refused, TimedOut, World
from services.console.settings import Settings
from services.console.steps import StepFailed
from services.console.system import System
from shared.contracts import SERVICES, copies_of
from shared.ids import new_id

T = TypeVar("T")
FAILED, DIFFERENCES = 1, 3
# What one step of a journey may take on a busy machine.
PATIENCE_S = 60.0

cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
parked_cli = typer.Typer(no_args_is_help=True, help="Messages that services have set aside.")
cli.add_typer(parked_cli, name="parked")
out = Console(highlight=False)
progress = Console(stderr=True, highlight=False)


def main() -> None:
    """Run the command; what a person can mend is said in one line, without a traceback."""
    try:
        cli(prog_name="groupbuy")
    except LocalError as error:
        progress.print(f"✗ {error.code}: {error.en}\n  {error.zh}", style="red")
        raise SystemExit(FAILED) from error
    except httpx.TransportError as error:
        where = f"{error.request.url.host}:{error.request.url.port}"
        hint = "no system runs here? `make up` starts one, `groupbuy doctor` says what is wrong"
        progress.print(f"✗ nothing answers at {where} ({hint})\n  {where} 没有响应", style="red", soft_wrap=True)
        raise SystemExit(FAILED) from error
    except (Refused, TimedOut, StepFailed, replaying.EmptyAndUnfilled) as error:
        progress.print(f"✗ {type(error).__name__}: {error}", style="red", soft_wrap=True)
        raise SystemExit(FAILED) from error


def _with_world(act: Callable[[World], Awaitable[T]], patience_s: float = 3.0) -> T:
    async def run() -> T:
        async with httpx.AsyncClient(timeout=20, limits=httpx.Limits(max_connections=100)) as http:
            return await act(World(Settings().urls, http, patience_s))

    return asyncio.run(run())


@cli.command()
def up() -> None:
    """Start the whole system on this machine: private servers, five services, pages and sandbox."""
    System(Settings()).up(lambda line: progress.print(f"… {line}", style="dim"))
    _show_addresses()


@cli.command()
def down() -> None:
    """Stop everything that was started from this directory."""
    stopped = System(Settings()).down()
    out.print(f"stopped: {', '.join(stopped)}" if stopped else "nothing was running")


@cli.command()
def demo(
    leave: Annotated[bool, typer.Option("--exit", help="End after the journey instead of staying up")] = False,
) -> None:
    """Start the system, play the journey from video to payout, prove the money, and stay up until Ctrl-C."""
    system = System(Settings())
    was_running = not system.dead()
    try:
        system.up(lambda line: progress.print(f"… {line}", style="dim"))
        holds = _with_world(_play, PATIENCE_S)
        if not leave:
            _show_addresses()
            _stay(system)
    finally:
        if was_running:
            progress.print("… it was running before and goes on; `make down` stops it", style="dim")
        else:
            progress.print("… stopping", style="dim")
            system.down()
    if not holds:
        raise SystemExit(DIFFERENCES)


async def _play(world: World) -> bool:
    proof = await Journey(world, out).play()
    out.print()
    auditing.show(out, proof)
    return proof.holds(datetime.now(UTC)) and not proof.findings


def _stay(system: System) -> None:
    """Stay until Ctrl-C, and start again whatever somebody killed meanwhile."""
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    while not stopping.wait(1.0):
        for name in system.dead():
            progress.print(f"… {name} has ended and is started again (log: {system.log_path(name)})", style="yellow")
            system.launch(name)


@cli.command()
def journey() -> None:
    """Play the journey on a system that is running already, then prove the money."""
    if not _with_world(_play, PATIENCE_S):
        raise SystemExit(DIFFERENCES)


@cli.command()
def audit(wait: Annotated[float, typer.Option(help="Seconds to wait for what is under way")] = 0.0) -> None:
    """Prove that every fen is accounted for; exit code 3 if not."""
    proof = _with_world(lambda world: auditing.settled(world, wait))
    auditing.show(out, proof)
    if not proof.holds(datetime.now(UTC)):
        raise SystemExit(DIFFERENCES)


@cli.command()
def reconcile(
    day: Annotated[datetime, typer.Option("--date", formats=["%Y-%m-%d"], help="A day that is over, in Shanghai")],
) -> None:
    """Compare orders, redemptions and payouts of a day with Alipay's bill; each difference is filed; exit code 3."""
    done = _with_world(lambda world: reconciling.reconcile(world, day.date()))
    reconciling.show(out, day.date(), done)
    if done.comparison.differences:
        raise SystemExit(DIFFERENCES)


@cli.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help="Machine-readable")] = False) -> None:
    """Check the machine and the running system; each failure names its cause and the command that mends it."""
    found = diagnosis.examine(Settings())
    if as_json:
        out.print_json(json.dumps([check.as_json() for check in found], ensure_ascii=False))
    else:
        diagnosis.show(out, found)
    if not all(check.ok for check in found):
        raise SystemExit(FAILED)


@cli.command()
def clock(by: Annotated[str, typer.Argument(help="+1d, +2h, +30m, or reset; nothing shows it")] = "") -> None:
    """Show or move business time; only where the sandbox is the outside world."""
    if by not in {"", "reset"} and not triggers.STEP.fullmatch(by):
        raise typer.BadParameter("say +1d, +2h, +30m, +10s, or reset")
    moved = _with_world(lambda world: triggers.move_clock(world, by))
    out.print(f"{moved['now']}  (offset {moved['offset_s']:+.0f} s)")


@cli.command()
def trigger(
    event: Annotated[str, typer.Argument(help=", ".join(triggers.EVENTS))],
) -> None:
    """Make something happen at the outside world, with a real order around it."""
    if event not in triggers.EVENTS:
        raise typer.BadParameter(f"known are {', '.join(triggers.EVENTS)}")
    _with_world(lambda world: triggers.trigger(world, event, out), PATIENCE_S)


@cli.command()
def replay(
    publisher: Annotated[str, typer.Argument(help="The service that says its state anew: catalog")],
    to: Annotated[str, typer.Option(help="The service whose copies are filled")],
    empty: Annotated[bool, typer.Option("--empty", help="Empty those copies first")] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Do it; otherwise only say how much it is")] = False,
    reason: Annotated[str, typer.Option(help="Why; kept with the replay")] = "",
) -> None:
    """Rebuild a service's copies of what another one says; exit code 3 if they stay incomplete.

    While its copies are empty a service knows no operator and sells nothing; should this end in between, run it again
    without --empty."""
    if publisher not in SERVICES or to not in SERVICES or not copies_of(publisher, to):
        raise typer.BadParameter(f"{to} keeps no copies of what {publisher} says; services are {', '.join(SERVICES)}")
    if apply and not reason:
        raise typer.BadParameter("--apply needs a --reason")

    async def act(world: World) -> list[replaying.Line]:
        if not apply:
            return await replaying.count(world, publisher, to)
        return await replaying.rebuild(
            world, publisher, to, reason, lambda line: progress.print(f"… {line}", style="dim"),
            empty=empty, replay_id=new_id(),
        )  # fmt: skip

    lines = _with_world(act, PATIENCE_S if apply else 3.0)
    table = Table("event", "said" if apply else "would be said", "kept", show_edge=False)
    for line in lines:
        table.add_row(line.topic, f"{line.said:,}", "" if line.kept is None else f"{line.kept:,}")
    out.print(table)
    if not apply:
        progress.print("nothing was done; say --apply --reason … to do it", style="dim")
    if not all(line.complete for line in lines):
        raise SystemExit(DIFFERENCES)


@parked_cli.command("ls")
def parked_list(
    service: Annotated[str, typer.Option(help="One service; all of them without it")] = "",
    dead: Annotated[bool, typer.Option("--dead", help="Dead letters only")] = False,
) -> None:
    """What each service has set aside, oldest first."""

    async def ask(world: World) -> list[tuple[str, dict[str, object]]]:
        operator = world.person(FIRST_OPERATOR)
        path = "/admin/parked?limit=200" + ("&dead=true" if dead else "")
        names = [service] if service else list(SERVICES)
        return [(name, row) for name in names for row in await operator.get(name, path)]

    table = Table("service", "consumer", "event", "kind", "attempts", "next", "error", show_edge=False)
    rows = _with_world(ask)
    for name, row in rows:
        error = str(row["error"]).strip().splitlines()[-1:] or [""]
        cells = (
            row["consumer"],
            row["event_id"],
            row["kind"],
            row["attempts"],
            row["next_at"] or "dead",
            error[0][:80],
        )
        table.add_row(name, *(str(cell) for cell in cells))
    out.print(table if rows else "nothing is parked")


@parked_cli.command("show")
def parked_show(service: str, event_id: str) -> None:
    """One parked message with its error and its body, personal data masked."""
    found = _with_world(lambda world: world.person(FIRST_OPERATOR).get(service, f"/admin/parked/{event_id}"))
    out.print_json(json.dumps(found, ensure_ascii=False))


@parked_cli.command("retry")
def parked_retry(
    service: str,
    reason: Annotated[str, typer.Option(help="Why; kept with the request")],
    event_id: Annotated[str, typer.Option(help="One event; all of the service without it")] = "",
    apply: Annotated[bool, typer.Option("--apply", help="Do it; otherwise only say how many")] = False,
) -> None:
    """Try parked messages again now."""

    async def act(world: World) -> str:
        operator = world.person(FIRST_OPERATOR)
        if not apply:
            waiting = await operator.get(service, "/admin/parked?limit=200")
            chosen = [row for row in waiting if not event_id or row["event_id"] == event_id]
            return f"{len(chosen)} would be tried again; say --apply to do it"
        body = {"event_id": event_id or None, "reason": reason}
        return f"{(await operator.post(service, '/admin/parked/retry', body))['retried']} are tried again now"

    out.print(_with_world(act))


def _show_addresses() -> None:
    urls = Settings().urls
    out.print("\n[bold]一切就绪 · ready[/]  登录时选人，无需密码 · pick a person to sign in, no password\n")
    for address, what, who in (
        (urls["web"], "刷视频、下单 feed, orders", "阿May · 椰子冻 · 小陈"),
        (f"{urls['web']}/scan", "扫码核销 scan to redeem", "clerk-hotpot"),
        (f"{urls['web']}/m", "商家 merchant, statement", "merchant-hotpot · merchant-fruit"),
        (f"{urls['web']}/o", "运营 operator", "operator-one"),
        (urls["sandbox"], "模拟支付宝、承运商 sandbox", ""),
    ):
        out.print(f"  {address}", style="cyan", soft_wrap=True)
        out.print(f"      {what}  [dim]{who}[/]", soft_wrap=True)
    command = ".venv/bin/groupbuy"
    out.print(f"\n{command} audit | doctor | clock +1d | trigger payment.duplicated | parked ls | down", style="dim")
