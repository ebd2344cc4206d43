"""Assembles the administration of users."""

from latchkey.feature import Contribution, Platform
from latchkey.features.admin_access.access import AdminAccess
from latchkey.features.email_verification.wiring import EmailVerificationParts
from latchkey.features.registration.wiring import RegistrationParts
from latchkey.features.user_administration.changes import UserChanges
from latchkey.features.user_administration.endpoints import UserEndpoints
from latchkey.features.user_administration.reading import UserReader
from latchkey.features.user_administration.session_endpoints import session_endpoints
from latchkey.features.user_administration.update import UserUpdate
from latchkey.http.bound_cursors import BoundCursors
from latchkey.keys import Mac
from latchkey.sessions.management import SessionManager


def wire_user_administration(
    platform: Platform,
    access: AdminAccess,
    registration: RegistrationParts,
    email_verification: EmailVerificationParts,
) -> Contribution:
    """Returns the endpoints /admin/users."""
    users = UserEndpoints(
        access=access,
        reader=UserReader(platform.database),
        changes=UserChanges(
            audit=platform.audit,
            ender=platform.ender,
            outbox=platform.outbox,
            mail_is_sent=platform.settings.mail_is_sent(),
        ),
        update=UserUpdate(audit=platform.audit, ender=platform.ender, address_change=email_verification.address_change),
        creation=registration.creation,
        cursors=BoundCursors(Mac(platform.access_secret, "cursor of the list of users")),
        password_min=registration.password_min,
        name_min=platform.settings.name_min_length,
    )
    sessions = SessionManager(platform.database, platform.audit, platform.ender)
    return Contribution(endpoints=(*users.all(), *session_endpoints(sessions, platform.database, access)))
