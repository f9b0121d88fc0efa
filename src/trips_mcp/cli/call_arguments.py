"""Tool arguments from the command line: KEY=VALUE pairs, converted by the tool's input schema."""

import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from trips_mcp.cli.command import CommandError
from trips_mcp.cli.stdin import standard_input
from trips_mcp.spelling import nearest

_MOST_NAMES: Final = 3
_LONGEST: Final = 100
_BOM: Final = "\ufeff"
_SWITCHES: Final = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}

Schema = dict[str, Any]


def arguments_of(pairs: Iterable[str], whole: str | None, schema: Schema, tool: str) -> dict[str, object]:
    """`whole`: some or all arguments as a JSON object, or the file that has it.

    Raises: CommandError for unreadable arguments. The tool itself refuses arguments that it does not accept.
    """
    found = {} if whole is None else _whole(whole)
    for name in found:
        _schema_of([name], schema, name, tool)
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise CommandError(f"{pair[:_LONGEST]!r} is not an argument, expected KEY=VALUE.")
        steps = name.split(".")
        _put(found, steps, _value(text, _schema_of(steps, schema, name, tool), name), name)
    return found


def did_you_mean(name: str, known: Collection[str]) -> str:
    names = nearest(name, known, _MOST_NAMES)
    return f"did you mean {' or '.join(names)}? " if names else ""


def _whole(text: str) -> dict[str, Any]:
    document = _read(text, "--arguments")
    try:
        found = json.loads(document, parse_constant=_no_json)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise CommandError(
            '--arguments takes one JSON object, as \'{"tripId": "jx7"}\', @FILE with one, or - for stdin.'
        )
    return found  # pyright: ignore[reportUnknownVariableType] - of JSON


def _schema_of(steps: list[str], schema: Schema, name: str, tool: str) -> Schema:
    """The schema of the argument at this path."""
    inner = schema
    for step in steps:
        properties: Mapping[str, Schema] = inner.get("properties", {})
        if step not in properties:
            above = name[: -len(".".join(steps[steps.index(step) :]))] if inner is not schema else ""
            known = f"it takes {', '.join(above + one for one in properties)}." if properties else "it takes none."
            raise CommandError(f"{tool} has no argument {name[:_LONGEST]!r}; {did_you_mean(step, properties)}{known}")
        inner = properties[step]
    return inner


def _put(found: dict[str, Any], steps: list[str], value: object, name: str) -> None:
    *above, last = steps
    for step in above:
        found = found.setdefault(step, {})
        if not isinstance(found, dict):  # pyright: ignore[reportUnnecessaryIsInstance] - it may have come as JSON
            raise CommandError(f"{name} is given twice.")
    if last in found:
        raise CommandError(f"{name} is given twice.")
    found[last] = value


def _value(text: str, schema: Schema, name: str) -> object:
    """A value that is neither of the expected type nor JSON is passed on as text; the tool refuses it."""
    kind = schema["type"]
    if kind == "string":
        return text
    if kind == "boolean" and text.lower() in _SWITCHES:
        return _SWITCHES[text.lower()]
    if kind in ("array", "object"):
        text = _read(text, name)
    if kind == "array" and not text.lstrip().startswith(("[", "{")) and schema["items"]["type"] != "object":
        return [_value(part.strip(), schema["items"], name) for part in text.split(",") if part.strip()]
    try:
        return json.loads(text, parse_constant=_no_json)
    except (ValueError, RecursionError):
        return text


def _read(text: str, name: str) -> str:
    """The text itself, or the content of the file that it names."""
    try:
        if text == "-":
            return standard_input().read().removeprefix(_BOM)
        return Path(text[1:]).expanduser().read_text("utf-8-sig") if text.startswith("@") else text
    except (OSError, RuntimeError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "no such place"
        what = "standard input" if text == "-" else text[1:][:_LONGEST]
        raise CommandError(f"{name}: {what} cannot be read ({why.lower()}).") from None
    except UnicodeDecodeError:
        raise CommandError(f"{name}: {text[1:][:_LONGEST] or 'stdin'} is not UTF-8 text.") from None


def _no_json(constant: str) -> None:
    raise ValueError(f"{constant} is known to Python alone")
