"""The `meta` of an answer that is one page of a list."""

from pydantic import BaseModel, Field


class PageMeta(BaseModel):
    """`meta` of a page: `total` rows in all, `totalPages` pages of `limit` rows; this is page number `page`."""

    page: int = Field(examples=[1])
    limit: int = Field(examples=[10])
    total: int = Field(examples=[42])
    total_pages: int = Field(serialization_alias="totalPages", examples=[5])


class CursorMeta(BaseModel):
    """`meta` of a page of at most `limit` rows. `nextCursor` is the `cursor` of the next page, null on the last one."""

    limit: int = Field(examples=[100])
    next_cursor: str | None = Field(serialization_alias="nextCursor", examples=[None])
