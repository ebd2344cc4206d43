"""`latchkey purge`: housekeeping by hand."""

from latchkey.cli.operation import Operation, operate
from latchkey.cli.output import print_fields, print_json
from latchkey.housekeeping.housekeeper import Housekeeper
from latchkey.housekeeping.queries import chores


def purge(*, as_json: bool) -> None:
    """Removes all that is due by the settings, and prints how much that was."""

    async def sweep(operation: Operation) -> dict[str, int]:
        return await Housekeeper(operation.database, chores(operation.settings)).sweep()

    removed = operate(sweep)
    if as_json:
        print_json({"removed": removed})
    else:
        print_fields(removed)
