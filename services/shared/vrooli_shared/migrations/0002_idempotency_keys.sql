-- Keys of requests that made a post, so that a request which is repeated gets the first answer.
CREATE TABLE IF NOT EXISTS vrooli.idempotency_keys (
    key         text PRIMARY KEY,
    fingerprint bytea NOT NULL,  -- SHA-256 of what was posted
    post_id     uuid NOT NULL REFERENCES vrooli.posts ON DELETE CASCADE,
    answer      json NOT NULL,  -- the first answer's body
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS idempotency_keys_created ON vrooli.idempotency_keys (created_at);
