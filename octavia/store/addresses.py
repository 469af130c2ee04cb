"""The memory of the local network adapter: which addresses it has given out, to which network port."""

from datetime import timedelta
from itertools import groupby

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from octavia.domain.network import FixedIp, NetworkPort
from octavia.store.engine import Database, utcnow
from octavia.store.tables import address, amphora, load_balancer


class Addresses:
    """What the local network adapter declares as its ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, port: NetworkPort) -> bool:
        """All of the port's addresses are its own; False, and nothing changed, if one of them is somebody else's."""
        rows = [
            {
                "subnet_id": ip.subnet_id,
                "ip_address": ip.ip_address,
                "port_id": port.id,
                "network_id": port.network_id,
                "owner": port.owner,
                "device_owner": port.device_owner,
                "mac_address": port.mac_address,
                "taken_at": utcnow(),
            }
            for ip in port.fixed_ips
        ]
        try:
            self._database.write(lambda connection: connection.execute(address.insert(), rows))
        except IntegrityError:
            return False
        return True

    def release(self, port_id: str) -> None:
        self._database.write(
            lambda connection: connection.execute(address.delete().where(address.c.port_id == port_id))
        )

    def get(self, port_id: str) -> NetworkPort | None:
        return next(iter(self._ports(address.c.port_id == port_id)), None)

    def all(self) -> tuple[NetworkPort, ...]:
        return self._ports(sa.true())

    def of(self, owner: str) -> tuple[NetworkPort, ...]:
        return self._ports(address.c.owner == owner)

    def taken(self, subnet_id: str) -> frozenset[str]:
        with self._database.reading() as connection:
            return frozenset(
                connection.scalars(sa.select(address.c.ip_address).where(address.c.subnet_id == subnet_id))
            )

    def ownerless(self, older_than: timedelta) -> tuple[str, ...]:
        """Ports that were taken for somebody who never came to be, or is gone."""
        owners = sa.union(sa.select(load_balancer.c.id), sa.select(amphora.c.id))
        stray = sa.and_(address.c.taken_at < utcnow() - older_than, address.c.owner.not_in(owners))
        with self._database.reading() as connection:
            return tuple(connection.scalars(sa.select(address.c.port_id).where(stray).distinct()))

    def _ports(self, which: sa.ColumnElement[bool]) -> tuple[NetworkPort, ...]:
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(address).where(which).order_by(address.c.port_id)).all()
        return tuple(port_of(list(group)) for _, group in groupby(rows, key=lambda row: row.port_id))


def port_of(rows: list[sa.Row[tuple[object, ...]]]) -> NetworkPort:
    first = rows[0]
    return NetworkPort(
        id=first.port_id,
        network_id=first.network_id,
        owner=first.owner,
        device_owner=first.device_owner,
        mac_address=first.mac_address,
        fixed_ips=tuple(FixedIp(row.subnet_id, row.ip_address) for row in rows),
    )
