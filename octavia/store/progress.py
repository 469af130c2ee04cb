"""What the control plane is doing with a load balancer, as the operators' API shows it."""

from datetime import UTC, datetime

import sqlalchemy as sa

from octavia.domain.load_balancer import LoadBalancer
from octavia.domain.status import provisioning_status
from octavia.store.query import AmphoraProgress, Progress, Visited
from octavia.store.tables import amphora, cluster, deployment, edit, heard, sentence


def of(connection: sa.Connection, top: LoadBalancer) -> Progress:
    lease = connection.execute(sa.select(cluster).where(cluster.c.id == top.cluster_id)).one()
    last = connection.execute(
        sa.select(edit).where(edit.c.load_balancer_id == top.id, edit.c.generation == top.generation)
    ).one_or_none()
    return Progress(
        load_balancer_id=top.id,
        name=top.name,
        project_id=top.project_id,
        provisioning_status=provisioning_status(top, top),
        operating_status=top.operating_status,
        generation=top.generation,
        observed=top.observed,
        request_id=last.request_id if last else None,
        user_id=last.user_id if last else None,
        epoch=connection.scalar(sa.select(deployment.c.epoch)) or 0,
        token=lease.token,
        lease_holder=lease.holder,
        lease_expires=datetime.fromtimestamp(lease.expires, UTC).replace(tzinfo=None) if lease.holder else None,
        failures=lease.failures,
        fault=lease.sentence if lease.failures else top.fault,
        sentences=sentences(connection, top.cluster_id),
        amphorae=amphorae(connection, top.cluster_id),
    )


def sentences(connection: sa.Connection, cluster_id: str) -> tuple[Visited, ...]:
    mine = sa.select(sentence).where(sentence.c.cluster_id == cluster_id).order_by(sentence.c.id.desc())
    return tuple(Visited(row.at, row.text) for row in connection.execute(mine))


def amphorae(connection: sa.Connection, cluster_id: str) -> tuple[AmphoraProgress, ...]:
    rows = connection.execute(
        sa.select(amphora.c.id, amphora.c.lb_network_ip, amphora.c.condemned, heard.c.at)
        .outerjoin(heard, heard.c.amphora_id == amphora.c.id)
        .where(amphora.c.cluster_id == cluster_id)
        .order_by(amphora.c.created_at)
    )
    return tuple(
        AmphoraProgress(id=row.id, lb_network_ip=row.lb_network_ip, condemned=row.condemned, heard_at=row.at)
        for row in rows
    )
