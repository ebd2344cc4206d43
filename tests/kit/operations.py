"""The operations that the document must have, by method and path. A decision, not read from the code."""

PUBLIC = ["POST /auth/register", "POST /auth/login", "POST /auth/forgot-password", "POST /auth/reset-password"]
ADDED_PUBLIC = ["POST /auth/verify-email", "POST /auth/verify-email/request"]
PROTECTED_UNSAFE = [
    "POST /auth/change-password",
    "PUT /users/{id}",
    "PATCH /users/{id}",
    "DELETE /users/{id}",
    "PATCH /users/{id}/restore",
]
ADDED_UNSAFE = ["DELETE /auth/sessions", "DELETE /auth/sessions/{sessionId}"]
ORIGINAL = [
    *PUBLIC,
    *PROTECTED_UNSAFE,
    "POST /auth/refresh-token",
    "POST /auth/logout",
    "GET /auth/csrf-token",
    "GET /users",
    "GET /users/{id}",
]
OF_SERVERS = ["POST /oauth/introspect", "GET /revocations"]
"""Operations that take an API key."""
OF_ADMINS = [
    *(f"{method} /admin/users" for method in ("GET", "POST")),
    *(f"{method} /admin/users/{{id}}" for method in ("GET", "PATCH", "DELETE")),
    *(f"POST /admin/users/{{id}}/{what}" for what in ("suspend", "unsuspend", "restore", "erase", "reset-mail")),
    *(f"{method} /admin/users/{{id}}/sessions" for method in ("GET", "DELETE")),
    "DELETE /admin/users/{id}/sessions/{sessionId}",
    "GET /admin/audit",
    "GET /admin/audit/export",
    "POST /admin/api-keys",
    "GET /admin/api-keys",
    "DELETE /admin/api-keys/{id}",
]
"""Operations of admins. Most of them take an API key, too."""
ADDED = ["GET /auth/me", "GET /auth/sessions", *ADDED_UNSAFE, *ADDED_PUBLIC, "GET /.well-known/jwks.json", *OF_SERVERS]
ADDED += [
    "GET /healthz",
    "GET /readyz",
    "GET /auth/check",
    "GET /auth/me/metadata",
    "PUT /auth/me/metadata",
    *OF_ADMINS,
]
