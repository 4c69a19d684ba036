CREATE TABLE meta (
    key TEXT PRIMARY KEY NOT NULL,
    value BLOB NOT NULL
);

CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('person', 'service')),
    disabled INTEGER NOT NULL DEFAULT 0,
    created BIGINT NOT NULL
);

-- One row a user and kind. scram: salt, iterations, stored key, server key. argon2id: PHC text. keyed: HMAC.
CREATE TABLE credentials (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    revision BIGINT NOT NULL,
    salt BLOB,
    iterations BIGINT,
    stored_key BLOB,
    server_key BLOB,
    verifier BLOB,
    UNIQUE (user_id, kind)
);

CREATE TABLE rules (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    effect BIGINT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_name TEXT NOT NULL,
    host TEXT NOT NULL,
    operation BIGINT NOT NULL,
    resource_kind BIGINT NOT NULL,
    pattern BIGINT NOT NULL,
    name TEXT NOT NULL,
    UNIQUE (effect, subject_kind, subject_name, host, operation, resource_kind, pattern, name)
);

-- Certificates issued to services, so that deleting or rotating one revokes them.
CREATE TABLE certificates (
    serial TEXT PRIMARY KEY NOT NULL,
    user_name TEXT NOT NULL,
    not_after BIGINT NOT NULL,
    revoked INTEGER NOT NULL DEFAULT 0
);

-- Trail events of committed changes, until the trail has them.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event TEXT NOT NULL
);
