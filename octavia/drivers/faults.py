"""How a port says that it could not make something true."""


class PortFault(Exception):
    """It did not work this time; trying again later may help. Carries one sentence for operators."""


class Refused(PortFault):
    """It will not work until the wish, or the set-up, is another one."""
