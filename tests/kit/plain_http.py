"""httpx for servers without TLS: it loads no authorities to verify them by, which takes 40 ms of CPU each time."""

from functools import partial

import httpx

get = partial(httpx.get, verify=False)
post = partial(httpx.post, verify=False)
client = partial(httpx.Client, verify=False)
async_client = partial(httpx.AsyncClient, verify=False)
