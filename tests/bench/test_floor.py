"""The floor of `make bench` is compared with the service, so it must do the same in the database."""

from bench.data import Secrets, load_users
from bench.operations import Minted
from bench.sameness import require_same_statements
from bench.servers import floor, latchkey
from tests.kit.own_postgres import own_postgres

USERS = 2000


def test_floor_and_service_make_the_same_statements() -> None:
    """Every operation, by PostgreSQL's own log; both also give the answer that the benchmark expects of them."""
    signing = Secrets.new()
    with own_postgres() as postgres:
        load_users(postgres.dsn, USERS)
        with latchkey(postgres.dsn, signing) as ours, floor(postgres.dsn) as bare:
            require_same_statements(postgres, ours, bare, Minted(postgres.dsn, signing, USERS))
