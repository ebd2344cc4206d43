"""`latchkey purge`: runs housekeeping by hand."""

from latchkey.app import FEATURES, Settings
from latchkey.housekeeping.housekeeper import Housekeeper
from latchkey.terminal.operation import Operation, operate
from latchkey.terminal.output import print_fields, print_json


def purge(*, as_json: bool) -> None:
    """Removes all rows that are due by the settings, and prints the counts. Corrects the tallies."""

    async def sweep(operation: Operation[Settings]) -> dict[str, int]:
        chores = [chore for feature in FEATURES for chore in feature.chores(operation.settings)]
        tallies = [tally for feature in FEATURES for tally in feature.tallies]
        housekeeper = Housekeeper(operation.database, chores, tallies)
        await housekeeper.correct()
        return await housekeeper.sweep()

    removed = operate(Settings, sweep)
    if as_json:
        print_json({"removed": removed})
    else:
        print_fields(removed)
