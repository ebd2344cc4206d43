"""Notes on Django. Run: gunicorn app:app"""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path
from latchkey_client import Latchkey
from latchkey_client.django import SignedInRequest, required

auth = Latchkey(os.environ["LATCHKEY_URL"], api_key=os.environ.get("LATCHKEY_API_KEY"))
settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["localhost", "127.0.0.1"], LATCHKEY=auth)
app, notes = get_wsgi_application(), dict[int, list[str]]()


@required
def use_notes(request: SignedInRequest) -> JsonResponse:
    mine = notes.setdefault(request.latchkey_user.id, [])
    mine.extend(request.GET.getlist("text") if request.method == "POST" else [])
    return JsonResponse(mine, safe=False)


@required(role="admin", max_age=900)
def clear_all_notes(_: SignedInRequest) -> JsonResponse:
    notes.clear()
    return JsonResponse(None, safe=False)


urlpatterns = [path("notes", use_notes), path("notes/clear", clear_all_notes)]
