"""The two secrets of an instance on their way from old ones to new ones."""

from latchkey.keys import Secret
from tests.kit.server import ACCESS_SECRET, REFRESH_SECRET

OLD = Secret(REFRESH_SECRET)
NEW = Secret("the-next-refresh-secret-of-the-tests-0123456789")
OLD_ACCESS = ACCESS_SECRET
NEW_ACCESS = "the-next-access-secret-of-the-tests-0123456789"
SECRETS = (OLD.current, NEW.current, OLD_ACCESS, NEW_ACCESS)

BEFORE = {"JWT_ACCESS_SECRET": OLD_ACCESS, "JWT_REFRESH_SECRET": OLD.current}
ADDED = BEFORE | {"JWT_ACCESS_SECRET_ACCEPTED": NEW_ACCESS, "JWT_REFRESH_SECRET_ACCEPTED": NEW.current}
AFTER = {"JWT_ACCESS_SECRET": NEW_ACCESS, "JWT_REFRESH_SECRET": NEW.current}
SWAPPED = AFTER | {"JWT_ACCESS_SECRET_ACCEPTED": OLD_ACCESS, "JWT_REFRESH_SECRET_ACCEPTED": OLD.current}
"""The settings of an instance at each step, in this order: BEFORE, ADDED, SWAPPED, AFTER."""
