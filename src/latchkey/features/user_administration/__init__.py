"""Administration of users: the endpoints /admin/users, and the commands that do the same."""

from latchkey.feature import Feature
from latchkey.features.user_administration.actions import UserAdministrationAction
from latchkey.features.user_administration.scopes import UsersScope

USER_ADMINISTRATION = Feature(
    name="user_administration",
    actions=UserAdministrationAction,
    scopes=UsersScope,
    commands="latchkey.features.user_administration.commands",
)
