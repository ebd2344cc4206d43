"""The query of an endpoint that takes none."""

from pydantic import BaseModel, ConfigDict


class NoQuery(BaseModel):
    """A query that must be empty: a name that is not read is a mistake of the caller, or a secret in a URL."""

    model_config = ConfigDict(extra="forbid")
