"""Flask in other ways than the example: async views, a blueprint, and an error handler of the app's own."""

import os

from flask import Blueprint, Flask, Response, g, jsonify
from latchkey_client import Latchkey
from werkzeug.exceptions import HTTPException

auth = Latchkey(os.environ["LATCHKEY_URL"])
app = Flask(__name__)
blueprint = Blueprint("b", __name__, url_prefix="/b")


@blueprint.get("/me/<int:number>")
@auth.flask()
async def me(number: int) -> Response:
    return jsonify([g.user.id, number])


@app.errorhandler(HTTPException)
def own_page(error: HTTPException) -> tuple[str, int]:
    return "an error page", error.code or 500


app.register_blueprint(blueprint)
