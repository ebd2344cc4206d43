"""Assembles sign-in."""

from dataclasses import dataclass

from latchkey.feature import Contribution, Platform
from latchkey.features.sign_in.door import Door, build_door
from latchkey.features.sign_in.endpoints import login_endpoint
from latchkey.features.sign_in.known_devices import KnownDevices
from latchkey.features.sign_in.mails import NEW_DEVICE_NOTICE
from latchkey.features.sign_in.password import PasswordSignIn
from latchkey.features.sign_in.settings import SignInSettings
from latchkey.features.sign_in.shared_guesses import open_guesses
from latchkey.features.sign_in.steps import Step
from latchkey.features.sign_in.throttle import Throttle
from latchkey.mail.notices import compose_notice


@dataclass(frozen=True, slots=True)
class SignInParts:
    """What other features use, and the contribution to the process."""

    door: Door
    throttle: Throttle
    devices: KnownDevices
    contribution: Contribution


def wire_sign_in(platform: Platform, settings: SignInSettings, *, steps: tuple[Step, ...]) -> SignInParts:
    """Wires the door with its steps, in order, and sign-in by password."""
    shared = platform.settings
    door = build_door(platform, steps=steps, new_device_mail=settings.new_device_mail)
    guesses = open_guesses(platform.counts, platform.clock)
    throttle = Throttle(guesses, platform.access_secret, queue_seconds=shared.hash_queue_seconds)
    devices = KnownDevices(platform.access_secret, prefix=shared.cookie_prefix, secure=not shared.development)
    password = PasswordSignIn(
        database=platform.database, hasher=platform.hasher, costs=platform.costs, throttle=throttle, door=door
    )
    return SignInParts(
        door,
        throttle,
        devices,
        Contribution(
            endpoints=(login_endpoint(password, devices, platform.presented_sessions, platform.cookies),),
            composers={NEW_DEVICE_NOTICE.name: compose_notice},
        ),
    )
