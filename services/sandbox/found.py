"""What modules of a folder offer under one name, so that a new carrier is known as soon as its files are here."""

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any


def offered(package: ModuleType, name: str) -> dict[str, Any]:
    """Module → what it offers as `name`, in the order of the modules' names; modules without it are left out."""
    modules = sorted(module.name for module in iter_modules(package.__path__))
    found = {module: import_module(f"{package.__name__}.{module}") for module in modules}
    return {module: getattr(content, name) for module, content in found.items() if hasattr(content, name)}
