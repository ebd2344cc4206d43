"""Whether the floor makes the statements that the service makes, as PostgreSQL's own log has them."""

from bench.load import uvloop_runner
from bench.operations import OPERATIONS, Accounts, Wire
from bench.servers import Target
from bench.wire import Answer, Connection
from tests.kit.own_postgres import OwnPostgres


def require_same_statements(postgres: OwnPostgres, ours: Target, floor: Target, accounts: Accounts) -> None:
    """Sends each operation once to both. Exits when they made other statements, or gave a wrong answer."""
    for operation in OPERATIONS:
        made = {}
        for target in (ours, floor):
            script = operation.script(Wire(target), accounts)
            statements, status = list[str](), 0
            # Once before: a new connection learns the types of a statement.
            for number in range(2):
                with postgres.logging_statements() as seen, uvloop_runner() as runner:
                    status = runner.run(_asked(target, script.request(number))).status
                statements = seen
            if status != operation.expected:
                raise SystemExit(f"{operation.title}: {target.name} answered {status}, not {operation.expected}")
            made[target.name] = [" ".join(statement.split()) for statement in statements]
        if made[ours.name] != made[floor.name]:
            lines = "\n".join(f"  {name}: {statement}" for name in made for statement in made[name])
            raise SystemExit(f"{operation.title}: the floor is not the service's (bench/statements.py):\n{lines}")


async def _asked(target: Target, request: bytes) -> Answer:
    connection = Connection(target.url)
    try:
        return await connection.ask(request)
    finally:
        connection.close()
