-- Posts and their pictures. The picture's bytes stand apart, so that lists never touch them.
CREATE TABLE IF NOT EXISTS vrooli.posts (
    id         uuid PRIMARY KEY,
    text       text NOT NULL,
    state      text NOT NULL CHECK (state IN ('pending', 'approved', 'refused', 'failed')),
    confidence double precision CHECK (confidence BETWEEN 0 AND 100),  -- percent, of the verdict
    reason     text,
    attempts   integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS posts_newest ON vrooli.posts (created_at DESC, id);
CREATE INDEX IF NOT EXISTS posts_pending ON vrooli.posts (updated_at) WHERE state = 'pending';

CREATE TABLE IF NOT EXISTS vrooli.pictures (
    post_id    uuid PRIMARY KEY REFERENCES vrooli.posts ON DELETE CASCADE,
    media_type text NOT NULL,
    bytes      bytea NOT NULL
);
