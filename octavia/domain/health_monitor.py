"""The health monitor: how a pool finds out which members are up."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from octavia.domain.declare import CREATE_ONLY, END, HIDDEN, Identifier, Noun

Seconds = Annotated[int, Meta(ge=0, le=2**31 - 1)]
LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
Count = Annotated[int, Meta(ge=1, le=10)]


class HealthMonitor(Noun, frozen=True, kw_only=True):
    singular: ClassVar[str] = "healthmonitor"
    plural: ClassVar[str] = "healthmonitors"
    title: ClassVar[str] = "Health Monitor"

    pool_id: Annotated[Identifier, CREATE_ONLY, HIDDEN, Meta(description="The pool that it watches.")]
    type: Annotated[
        Literal["HTTP", "HTTPS", "PING", "TCP", "TLS-HELLO", "UDP-CONNECT", "SCTP"],
        CREATE_ONLY,
        Meta(description="How health is asked."),
    ]
    delay: Annotated[Seconds, Meta(description="Between two checks, in seconds.")]
    timeout: Annotated[Seconds, Meta(description="Until a check has failed, in seconds.")]
    max_retries: Annotated[Count, Meta(description="Successes until a member is up.")]
    max_retries_down: Annotated[Count, Meta(description="Failures until a member is down.")] = 3
    http_method: Annotated[
        Literal["GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "OPTIONS", "CONNECT", "PATCH"] | None,
        Meta(description="The method of an HTTP check; GET if not given."),
    ] = None
    url_path: Annotated[
        Annotated[str, Meta(max_length=255, pattern=r"^/[^\s\x00-\x1f\x7f]*" + END)] | None,
        Meta(description="The path of an HTTP check; / if not given."),
    ] = None
    expected_codes: Annotated[
        Annotated[str, Meta(max_length=64, pattern=r"^([0-9]{3}(\s*,\s*[0-9]{3})*|[0-9]{3}-[0-9]{3})" + END)] | None,
        Meta(description="Statuses that mean up: 200, 200,202 or 200-204; 200 if not given."),
    ] = None
    http_version: Annotated[float | None, Meta(description="1.0 or 1.1.")] = None
    domain_name: Annotated[
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=255,
                pattern=rf"^{LABEL}(\.{LABEL})*\.?" + END,
            ),
        ]
        | None,
        Meta(description="The Host header of an HTTP/1.1 check."),
    ] = None
