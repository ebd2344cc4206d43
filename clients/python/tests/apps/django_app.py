"""Django with its users, sessions and CSRF protection, by WSGI and ASGI."""

import os

import django
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.asgi import get_asgi_application
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from latchkey_client import Latchkey
from latchkey_client.django import SignedInRequest, required

settings.configure(
    ROOT_URLCONF=__name__,
    SECRET_KEY="of the tests",  # noqa: S106  # it protects nothing
    ALLOWED_HOSTS=["127.0.0.1"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["DATABASE"]}},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "latchkey_client.django.Middleware",
    ],
    AUTHENTICATION_BACKENDS=[
        "django.contrib.auth.backends.ModelBackend",
        "latchkey_client.django.backend.Backend",
    ],
    LOGIN_URL="/sign-in",
    LATCHKEY=Latchkey(os.environ["LATCHKEY_URL"]),
)
django.setup()
from django.contrib.auth import login  # noqa: E402  # needs the settings
from django.contrib.auth.models import User  # noqa: E402  # the same

if os.environ.get("MIGRATE"):
    call_command("migrate", verbosity=0)


def who(request: HttpRequest) -> JsonResponse:
    """The Django user, whoever it is."""
    return JsonResponse([request.user.pk, request.user.get_username(), request.user.is_authenticated], safe=False)


async def who_async(request: HttpRequest) -> JsonResponse:
    """The same in an async view."""
    user = await request.auser()
    same = await sync_to_async(lambda: request.user.pk == user.pk)()
    return JsonResponse([user.pk, user.get_username(), user.is_authenticated and same], safe=False)


@required(role="admin")
async def admin_async(request: SignedInRequest) -> JsonResponse:
    return JsonResponse(request.latchkey_user.id, safe=False)


@required
def guarded(request: SignedInRequest) -> JsonResponse:
    return JsonResponse(request.latchkey_user.id, safe=False)


@method_decorator([csrf_exempt, required], name="dispatch")
class Guarded(View):
    """A class, for bearer clients, too."""

    def post(self, request: SignedInRequest) -> JsonResponse:
        return JsonResponse(request.latchkey_user.id, safe=False)


@login_required
def own(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.user.get_username())


@csrf_exempt
def sign_up(request: HttpRequest) -> JsonResponse:
    """The app's own sign-up, beside Latchkey: makes a user with a password and signs in."""
    user = User.objects.create_user(request.GET["name"], password="password")  # noqa: S106  # the same
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return JsonResponse(user.pk, safe=False)


@csrf_exempt
def deactivate(request: HttpRequest) -> JsonResponse:
    """What an operator of the app does in its admin."""
    return JsonResponse(User.objects.filter(username=request.GET["name"]).update(is_active=False), safe=False)


def users(_: HttpRequest) -> JsonResponse:
    """All that is stored."""
    fields = ("username", "email", "first_name", "last_name", "is_staff", "is_superuser")
    return JsonResponse(list(User.objects.values(*fields)), safe=False)


urlpatterns = [
    path("who", who),
    path("who-async", who_async),
    path("admin-async", admin_async),
    path("guarded", guarded),
    path("class", Guarded.as_view()),
    path("own", own),
    path("sign-up", sign_up),
    path("deactivate", deactivate),
    path("users", users),
]
wsgi = get_wsgi_application()
asgi = get_asgi_application()
