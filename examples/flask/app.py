"""Notes on Flask. Run: gunicorn app:app"""

import os

from flask import Flask, Response, g, jsonify, request
from latchkey_client import Latchkey

auth = Latchkey(os.environ["LATCHKEY_URL"], api_key=os.environ.get("LATCHKEY_API_KEY"))
app = Flask(__name__)
notes: dict[int, list[str]] = {}


@app.route("/notes", methods=["GET", "POST"])
@auth.flask()
def use_notes() -> Response:
    mine = notes.setdefault(g.user.id, [])
    if request.method == "POST":
        mine.append(request.args["text"])
    return jsonify(mine)


@app.post("/notes/clear")
@auth.flask(role="admin", max_age=900)
def clear_all_notes() -> Response:
    notes.clear()
    return jsonify(None)
