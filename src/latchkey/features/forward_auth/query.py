"""The query of a check: what the proxy's operator asks of a request."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema

from latchkey.http.fields import whole_number

MAX_AGE = 2_147_483_647


class CheckQuery(BaseModel):
    """What a request must be, beside signed in, and what is told of it. Anything else in a query is refused."""

    model_config = ConfigDict(extra="forbid")

    role: Literal["admin"] | None = Field(None, description="403 unless the user has this role")
    max_age: (
        Annotated[
            int,
            PlainValidator(whole_number(0, MAX_AGE, unit=" of seconds"), json_schema_input_type=Any),
            WithJsonSchema({"type": "integer", "minimum": 0, "maximum": MAX_AGE}),
        ]
        | None
    ) = Field(None, alias="maxAge", description="403 if the user signed in longer than this many seconds ago")
    profile: Literal["1"] | None = Field(None, description="name and verified address are told, too")
    redirect: Literal["1"] | None = Field(None, description="302 to SIGN_IN_URL instead of 401, for pages in a browser")
