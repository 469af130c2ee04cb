"""Writes docs/configuration.md from the declarations of the options. Run as: python -m tools.options"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from octavia.settings.options import GROUPS, LocalSubnet, Option, declared

PAGE = Path(__file__).parents[1] / "docs" / "configuration.md"
HEAD = """# Configuration

<!-- Written by `python -m tools.options` from octavia/settings/options.py. -->

`octavia serve` needs no configuration. `--config-file FILE` names an `octavia.conf`, and may be repeated: of an option
that several files set, the last one counts. Groups and options have upstream's names wherever the concept is the same,
and upstream's names of drivers are understood; several defaults differ.

* An option that is not known is said at start, and ignored.
* A value that cannot be used ends the start with a sentence for each.
* `$name` in a value is the value of that option, as in `$state_path/octavia.db`; write `$$` for a dollar sign.
* An environment variable `OS_GROUP__OPTION`, such as `OS_API_SETTINGS__BIND_PORT`, counts over the files.
* The command line (`--state-path`, `--bind-host`, `--bind-port`) counts over everything.

An example:

```ini
[api_settings]
bind_port = 9877

[controller_worker]
compute_driver = netns

[local_network]
subnet = blue 10.20.0.0/16
subnet = green 10.30.0.0/16 gateway=10.30.255.254
subnet = green6 fd00:30::/64 network=green
```
"""


TAIL = """
## What libraries read

These groups are read by the libraries that they belong to, and nothing in them is reported as unknown:
`[keystone_authtoken]` (keystonemiddleware), `[oslo_policy]` (oslo.policy), `[cors]` and, in `[oslo_middleware]`,
`enable_proxy_headers_parsing` (oslo.middleware). [Operations](operations.md#who-may) says what is needed of them.
"""


def page() -> str:
    parts = [HEAD]
    options = list(declared())
    for group in GROUPS:
        parts.append(f"\n## [{group}]\n\n| option | default | meaning |\n|---|---|---|\n")
        parts += [line(option) for option in options if option.group == group]
    return "".join([*parts, TAIL])


def line(option: Option) -> str:
    meaning = option.description + (" *No effect yet.*" if option.inert else "")
    return f"| `{option.name}` | {shown(option.default)} | {meaning.replace('|', chr(92) + '|')} |\n"


def shown(default: Any) -> str:
    if default is None or default in ("", Path()):
        return "-"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, float):
        return f"`{default:g}`"
    if isinstance(default, tuple):
        return "<br>".join(f"`{item}`" for item in items(default))
    return f"`{default}`"


def items(default: tuple[Any, ...]) -> Iterator[str]:
    for item in default:
        yield f"{item.name} {item.cidr} network={item.network}" if isinstance(item, LocalSubnet) else str(item)


def main() -> None:
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
