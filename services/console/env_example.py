"""Writes .env.example from the settings classes: every variable that any process reads, with its default."""

import importlib
import inspect
import json
from collections.abc import Iterator, Set
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined, to_jsonable_python
from pydantic_settings import BaseSettings

from shared.contracts import SERVICES
from shared.settings import ServiceSettings

_HEAD = """\
# Every environment variable of the system. Generated from the settings classes by `make contracts`; do not edit.
#
# The five services read "every service" and their own block; web, sandbox and console read their own block only.
# `NAME=` must be set. `#NAME=default` may be. Secrets are left blank. Lists and maps are JSON.
# No process reads this file: its environment does. On one machine nothing needs to be set, because `make demo` and
# docker-compose.yml (which takes its ${...} from .env) give each process what it needs.
"""


def text() -> str:
    """The whole file."""
    common = ServiceSettings.model_fields.keys() - {"port"}
    blocks = [_HEAD, _block("every service", ServiceSettings, leave_out={"port"})]
    blocks += [_block(name, settings_of(name), leave_out=common) for name in SERVICES]
    blocks += [_block(name, settings_of(name)) for name in ("web", "sandbox", "console")]
    return "\n".join(blocks)


def settings_of(process: str) -> type[BaseSettings]:
    """The settings class of one process, by its name."""
    found: type[BaseSettings] = importlib.import_module(f"services.{process}.settings").Settings
    return found


def _block(title: str, settings: type[BaseSettings], leave_out: Set[str] = frozenset()) -> str:
    lines = [f"# --- {title} " + "-" * (112 - len(title)), *_prose(settings)]
    prefix = settings.model_config.get("env_prefix", "")
    for name, field in settings.model_fields.items():
        if name not in leave_out:
            lines += _variable(prefix, name, field)
    return "\n".join(lines) + "\n"


def _prose(settings: type[BaseSettings]) -> Iterator[str]:
    for line in (inspect.getdoc(settings) or "").splitlines():
        yield f"# {line}".rstrip()


def _variable(prefix: str, name: str, field: FieldInfo) -> Iterator[str]:
    """The lines of one variable; of a nested group, those of its members."""
    variable = str(field.validation_alias or f"{prefix}{name.upper()}")
    if inspect.isclass(field.annotation) and issubclass(field.annotation, BaseModel):
        for inner, member in field.annotation.model_fields.items():
            yield from _variable(f"{variable}__", inner, member)
        return
    if get_origin(field.annotation) is Literal:
        yield f"# one of: {', '.join(map(str, get_args(field.annotation)))}"
    if field.description:
        yield f"# {field.description}"
    yield f"{variable}=" if field.is_required() else f"#{variable}={_default(field)}"


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is None or value is PydanticUndefined or _is_secret(field, value):
        return ""
    return _written(value)


def _is_secret(field: FieldInfo, value: object) -> bool:
    """Sealing keys are plain maps that are kept out of the repr."""
    return isinstance(value, SecretStr) or not field.repr


def _written(value: Any) -> str:
    if isinstance(value, str | Path):
        return str(value)
    plain = to_jsonable_python(value)
    if isinstance(value, set | frozenset):
        plain = sorted(plain)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)
