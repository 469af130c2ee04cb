"""What each entry of a clouds.yaml may do by openstacksdk. Usage: sdk_roles.py LOAD_BALANCER, prints JSON:
user to the outcome of each attempt.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

import openstack
from openstack import exceptions

USERS = ("admin", "member", "reader", "other", "service")
SUBNET = "11111111-1111-4111-8111-111111111111"


def outcome(work: Callable[[], Any]) -> Any:
    """What it returns, or the status that it was refused with."""
    try:
        return work()
    except exceptions.HttpException as error:
        return error.status_code


def attempts(api: Any, identifier: str) -> dict[str, Any]:
    found = outcome(lambda: [lb.id for lb in api.load_balancers()])
    made = outcome(lambda: api.create_load_balancer(name="mine", vip_subnet_id=SUBNET))
    tried = {
        "sees it in the list": identifier in found if isinstance(found, list) else found,
        "shows it": outcome(lambda: api.get_load_balancer(identifier).id == identifier),
        "changes it": outcome(lambda: api.update_load_balancer(identifier, description="words").id == identifier),
        "creates one": made if isinstance(made, int) else True,
        "makes a flavor": outcome(lambda: [*api.flavor_profiles()] == []),
    }
    if not isinstance(made, int):
        api.wait_for_load_balancer(made.id, interval=0.1)
        api.delete_load_balancer(made.id)
    return tried


def main() -> None:
    print(json.dumps({user: attempts(openstack.connect(user).load_balancer, sys.argv[1]) for user in USERS}))


if __name__ == "__main__":
    main()
