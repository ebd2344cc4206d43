"""The SQL of each operation, for the floor and for pgbench.

Copies, so that the floor runs nothing of ours. At each run `bench.sameness` holds them against what PostgreSQL logs of
the service, and stops when they differ.
"""

FIND = "SELECT id, name, email FROM users WHERE id = ANY($1) AND NOT is_deleted"
PAGE = (
    "SELECT counted.total, listed.id, listed.name, listed.email"
    " FROM (SELECT sum(live)::bigint AS total FROM user_counts) AS counted"
    " LEFT JOIN LATERAL (SELECT id, name, email FROM users WHERE NOT is_deleted"
    "   ORDER BY id DESC LIMIT $1 OFFSET $2) AS listed ON true"
    " ORDER BY listed.id DESC"
)
ROTATE = (
    "UPDATE sessions SET token_hash = $4, parent_hash = $3, token_issued_at = to_timestamp($5),"
    " token_expires_at = to_timestamp($6), original_token_hash = NULL, last_used_at = now() FROM users"
    " WHERE users.id = sessions.user_id AND sessions.id = $1 AND user_id = $2 AND token_hash = $3"
    " AND ended_at IS NULL AND expires_at > now() AND expires_at >= to_timestamp($6)"
    " RETURNING role, token_claims, amr, actor_id,"
    " floor(extract(epoch FROM coalesce(sessions.authenticated_at, sessions.created_at)))::int8 AS auth_time"
)
CREDENTIALS = (
    "SELECT id, name, email, password, password_migrated, email_verified_at IS NOT NULL AS email_verified,"
    " credential_generation"
    " FROM users WHERE lower(email) = $1 AND NOT is_deleted"
)
LOCK_WITH_PASSWORD = (
    "SELECT role, token_claims, (suspended_at IS NOT NULL AND (suspended_until IS NULL OR suspended_until > now()))"
    " AS is_suspended FROM users WHERE id = $1 AND password = $2 AND NOT is_deleted FOR NO KEY UPDATE"
)
END_OLDEST = (
    "UPDATE sessions SET ended_at = now(), ended_by = $1 WHERE id IN (SELECT id FROM sessions WHERE user_id = $2"
    " AND ended_at IS NULL AND expires_at > now()"
    " AND (coalesce(token_expires_at, last_used_at + interval '24 hours') > now() OR original_token_hash IS NOT NULL)"
    " ORDER BY created_at DESC, id OFFSET $3) AND ended_at IS NULL AND expires_at > now()"
    " RETURNING id, user_id, pg_notify('latchkey_session_ended', id::text)"
)
OPEN = (
    "INSERT INTO sessions (id, user_id, token_hash, token_issued_at, token_expires_at, transport, amr, expires_at,"
    " ip, user_agent, device) VALUES ($1, $2, $3, to_timestamp($4), to_timestamp($5), $6, $7, $8, $9, $10, $11)"
    " RETURNING floor(extract(epoch FROM coalesce(sessions.authenticated_at, sessions.created_at)))::int8 AS auth_time"
)
AUDIT = "INSERT INTO audit_logs (actor_id, action, entity_type, entity_id, metadata) VALUES ($1, $2, $3, $4, $5)"
INSERT = "INSERT INTO users (name, email, password) VALUES ($1, $2, $3) RETURNING id, name, email"
LOCK = "SELECT id, name, email FROM users WHERE id = $1 AND NOT is_deleted FOR NO KEY UPDATE"
UPDATE = (
    "UPDATE users SET name = $2, email = $3,"
    " reset_token = CASE WHEN $4 THEN NULL ELSE reset_token END,"
    " reset_token_expires = CASE WHEN $4 THEN NULL ELSE reset_token_expires END,"
    " email_verified_at = CASE WHEN $4 THEN NULL ELSE email_verified_at END,"
    " email_since = CASE WHEN $4 THEN now() ELSE email_since END"
    " WHERE id = $1 RETURNING id, name, email"
)
