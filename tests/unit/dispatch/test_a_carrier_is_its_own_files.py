"""A carrier is added by files of its own: no other program file knows the name of one."""

import re
from pathlib import Path

import pytest

from services.dispatch.gateways import registry

ROOT = Path(__file__).parents[3]
PROGRAMS = ("services", "shared", "deploy", "docker-compose.yml")
WORDS = "services/web/texts/carriers.py"
"""Where a carrier may be given a name in two languages for the desks; its code is shown until it has one."""


def _naming(carrier: str) -> set[str]:
    """Files that name it, other than by a path part of their own."""
    word = re.compile(rf"(?<![a-z]){carrier}", re.IGNORECASE)
    files = (path for top in PROGRAMS for path in ((ROOT / top).rglob("*") if (ROOT / top).is_dir() else [ROOT / top]))
    readable = (path for path in files if path.suffix in {".py", ".yml", ".html", ".js", ".json", ".toml"})
    return {str(path.relative_to(ROOT)) for path in readable if word.search(path.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("carrier", sorted(registry.accounts()))
def test_only_a_carriers_own_files_name_it(carrier: str) -> None:
    own = {
        WORDS,
        f"services/dispatch/gateways/{carrier}.py",
        f"services/dispatch/gateways/{carrier}_mapper.py",
        *(f"services/sandbox/{layer}/{carrier}.py" for layer in ("domain", "store", "use_cases", "routes")),
    }
    others = {
        path for path in _naming(carrier) - own if Path(path).stem not in (f"{carrier}_moves", f"{carrier}_tracks")
    }
    assert others == set(), "add what is missing to the registry, not a name here"


@pytest.mark.parametrize("carrier", sorted(registry.accounts()))
def test_the_documents_list_of_files_exists(carrier: str) -> None:
    listed = re.search(r"```\n(.*?)```", (ROOT / "docs/carriers.md").read_text(), re.DOTALL)
    assert listed is not None
    names = [line.split()[0].replace("ishansong", carrier) for line in listed[1].splitlines()]
    names = [name for name in names if not name.endswith("_moves.py")]
    assert [name for name in names if not (ROOT / name).exists()] == []
