"""Which carriers there are: every module in this folder that offers an account."""

from importlib import import_module
from pkgutil import iter_modules

from services.dispatch import gateways
from services.dispatch.gateways.carriers import Account


def accounts() -> dict[str, type[Account]]:
    """The classes that adapters offer as ACCOUNT_CLASS, by the name of their module: a new carrier is known
    as soon as its file is here."""
    names = sorted(module.name for module in iter_modules(gateways.__path__))
    modules = {name: import_module(f"{gateways.__name__}.{name}") for name in names}
    return {name: module.ACCOUNT_CLASS for name, module in modules.items() if hasattr(module, "ACCOUNT_CLASS")}
