"""The operator's settings: the only reader of oslo.config. Hands out frozen structs, one for each group."""

import difflib
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from oslo_config import cfg

from octavia.settings.options import (
    GROUPS,
    ApiSettings,
    Certificates,
    ControllerWorker,
    Database,
    HaproxyAmphora,
    HealthManager,
    LocalNetwork,
    LocalSubnet,
    Networking,
    Option,
    OsloMiddleware,
    Quotas,
    Settings,
    SettingsError,
    declared,
)
from octavia.settings.reading import INSTEAD, reader, subnets_of

__all__ = [
    "ApiSettings",
    "Certificates",
    "ControllerWorker",
    "Database",
    "HaproxyAmphora",
    "HealthManager",
    "LocalNetwork",
    "LocalSubnet",
    "Networking",
    "OptionError",
    "OsloMiddleware",
    "Quotas",
    "Settings",
    "SettingsError",
    "load",
]
OptionError = cfg.Error
"""What reading an option from `Settings.oslo` raises, where its value cannot be used."""
KEYSTONE: Final = "keystone_authtoken"
THEIRS: Final[Mapping[str, frozenset[str] | None]] = {
    KEYSTONE: None,
    "cors": None,
    "oslo_policy": None,
    "oslo_middleware": frozenset({"enable_proxy_headers_parsing"}),
}
"""The options that libraries read themselves; None: the whole group."""
FOR_ROOT: Final = Path("/var/lib/octavia")


def load(config_files: Sequence[Path], *, state_path: Path | None, privileged: bool) -> Settings:
    """The settings of these files, later ones first; what they leave open has its default. Raises SettingsError."""
    options = list(declared())
    given = written(config_files)
    conf = opened(config_files, options)
    folder = (state_path or said_path(conf) or default_state_path(privileged)).absolute()
    # For "$state_path" in other options.
    conf.set_override("state_path", str(folder))
    values, faults = {}, []
    for option in options:
        try:
            values[option.group, option.field] = read(conf, option)
        except ValueError as error:
            faults.append(f"{option.label} = {error}")
    strategy = "api_settings", "auth_strategy"
    about = frozenset(group for group in THEIRS if mentioned(group, given))
    if KEYSTONE in about and not said(conf, *strategy):
        values[strategy] = "keystone"
    elif values.get(strategy) == "keystone" and KEYSTONE not in about:
        faults.append(f"[api_settings] auth_strategy = keystone: there is no [{KEYSTONE}] that says where Keystone is.")
    if faults:
        raise SettingsError("\n".join(faults))
    return built(values, conf, about, (*warnings(given, options), *replaced(conf, options)))


def mentioned(group: str, given: Mapping[str, set[str]]) -> bool:
    """Whether anything is said in this group, in a file or in the environment."""
    return group in given or any(name.upper().startswith(f"OS_{group.upper()}__") for name in os.environ)


def said(conf: Any, group: str, name: str) -> bool:
    """Whether the operator has set this option, wherever."""
    return bool(conf.get_location(name, group).location.is_user_controlled)


def built(values: Mapping[tuple[str, str], Any], conf: Any, about: frozenset[str], warned: tuple[str, ...]) -> Settings:
    def group(name: str) -> dict[str, Any]:
        return {field: value for (of, field), value in values.items() if of == name}

    structs = {name: struct(**group(name)) for name, struct in GROUPS.items() if name != "DEFAULT"}
    plain = group("DEFAULT")
    return Settings(
        **plain | structs | {"host": plain["host"] or socket.gethostname()}, oslo=conf, mentioned=about, warnings=warned
    )


def opened(config_files: Sequence[Path], options: Sequence[Option]) -> Any:
    """The files in oslo.config's hands, every option as the text that it is."""
    conf = cfg.ConfigOpts()
    for option in options:
        conf.register_opt(text_option(option), None if option.group == "DEFAULT" else option.group)
    try:
        conf([], project="octavia", default_config_files=[str(file) for file in config_files], default_config_dirs=[])
    except cfg.Error as error:
        raise SettingsError(f"The configuration cannot be read: {error}") from None
    return conf


def text_option(option: Option) -> Any:
    if option.name != option.field:
        return cfg.MultiStrOpt(option.name)
    # Other defaults stay out: oslo.config is to hold what was written, and texts with $names in them.
    named = isinstance(option.default, str | Path) and option.name != "state_path" and str(option.default)
    return cfg.StrOpt(option.name, default=named or None)


def written(config_files: Sequence[Path]) -> dict[str, set[str]]:
    """The names of all options in these files, by group. Raises SettingsError."""
    found: dict[str, set[str]] = {}
    for file in config_files:
        sections: dict[str, dict[str, list[str]]] = {}
        try:
            cfg.ConfigParser(str(file), sections).parse()
        except cfg.ParseError as error:
            raise SettingsError(f"{file} cannot be read: line {error.lineno}: {error.msg} ({error.line!r}).") from None
        except OSError as error:
            raise SettingsError(f"{file} cannot be read: {error.strerror}.") from None
        except UnicodeDecodeError:
            raise SettingsError(f"{file} cannot be read: it is not text in UTF-8.") from None
        for group, options in sections.items():
            # As oslo.config does: only DEFAULT is told by its case.
            found.setdefault(group if group == "DEFAULT" else group.lower(), set()).update(options)
    return found


def warnings(given: Mapping[str, set[str]], options: Sequence[Option]) -> tuple[str, ...]:
    known = {(option.group, option.name): option for option in options}
    said = []
    for group, name in sorted((group, name) for group, names in given.items() for name in names):
        option = known.get((group, name))
        if option is None and theirs(given, group, name):
            continue
        if option is None:
            near = difflib.get_close_matches(name, [other for of, other in known if of == group], 1, 0.8)
            said.append(f"unknown option [{group}] {name}, ignored" + (f" (did you mean {near[0]}?)" if near else ""))
        elif option.inert:
            said.append(f"option [{group}] {name} has no effect yet")
    return tuple(said)


def theirs(given: Mapping[str, set[str]], group: str, name: str) -> bool:
    """Whether a library reads it. [keystone_authtoken] may say that its credentials are in a group of another name."""
    if group in THEIRS:
        names = THEIRS[group]
        return names is None or name in names
    return "auth_section" in given.get(KEYSTONE, ()) and "auth_type" in given.get(group, ())


def replaced(conf: Any, options: Sequence[Option]) -> Iterator[str]:
    for option in options:
        text = asked(conf, option)
        if isinstance(text, str) and text in INSTEAD:
            yield f"{option.label} {text} is not offered, {INSTEAD[text]} is used instead"


def read(conf: Any, option: Option) -> Any:
    """The option's value. Raises ValueError with what was written and what is expected."""
    raw = asked(conf, option)
    if option.field == "subnets":
        return subnets_of(raw) if raw else option.default
    if raw is None or (not raw and not option.default):
        return option.default
    convert, expected = reader(option.kind)
    try:
        if not raw:
            raise ValueError(raw)
        return convert(raw)
    except ValueError:
        raise ValueError(f"{'...' if option.secret else raw}: {expected} is expected.") from None


def asked(conf: Any, option: Option) -> Any:
    """The option's text, with the values of other options in the place of `$name`."""
    try:
        return (conf if option.group == "DEFAULT" else conf[option.group])[option.name]
    except cfg.Error as error:
        raise ValueError(f"...: {error}") from None


def default_state_path(privileged: bool) -> Path:
    if privileged:
        return FOR_ROOT
    base = os.environ.get("XDG_STATE_HOME", "")
    # The XDG specification: a relative path there is invalid and ignored.
    return (Path(base) if os.path.isabs(base) else Path.home() / ".local" / "state") / "octavia"


def said_path(conf: Any) -> Path | None:
    return Path(conf.state_path).expanduser() if conf.state_path else None
