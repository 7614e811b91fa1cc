-- Running totals of what all posts take on the volume, so that no request sums a table.
CREATE TABLE IF NOT EXISTS vrooli.storage (
    kind  text PRIMARY KEY,  -- pictures; texts: posts, and the answers of idempotency keys
    bytes bigint NOT NULL
) WITH (fillfactor = 10);  -- room for new versions of its two rows, which each post updates

-- Hidden pictures in the order in which they make room.
CREATE INDEX IF NOT EXISTS posts_hidden ON vrooli.posts (state, updated_at, id)
    WHERE state IN ('failed', 'refused');

-- The bytes on the volume of a row with this content: a sixteenth more in TOAST, and 1 KiB for the
-- row, its dead versions and its entries in indexes. The same as storage.charge of the services.
CREATE OR REPLACE FUNCTION vrooli.charge(content bigint) RETURNS bigint
    LANGUAGE sql IMMUTABLE AS 'SELECT 1024 + content + content / 16';

-- The totals by the rows themselves.
CREATE OR REPLACE FUNCTION vrooli.measure_storage() RETURNS TABLE (kind text, bytes bigint)
    LANGUAGE sql STABLE AS $$
    SELECT 'pictures', coalesce(sum(vrooli.charge(octet_length(bytes))), 0)::bigint
        FROM vrooli.pictures
    UNION ALL
    SELECT 'texts',
        (SELECT coalesce(sum(vrooli.charge(octet_length(text))), 0)::bigint FROM vrooli.posts)
        + (SELECT coalesce(sum(vrooli.charge(octet_length(key) + octet_length(answer::text))), 0)
            ::bigint FROM vrooli.idempotency_keys)
$$;

-- Adds inserted rows to a total, or subtracts deleted ones. Arguments: the kind, the content of a
-- row as SQL. The total's row is locked until the end of the transaction.
CREATE OR REPLACE FUNCTION vrooli.count_storage() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    size bigint;
BEGIN
    EXECUTE format('SELECT sum(vrooli.charge(%s)) FROM changed', TG_ARGV[1]) INTO size;
    IF size IS NOT NULL THEN
        UPDATE vrooli.storage SET bytes = bytes + CASE TG_OP WHEN 'INSERT' THEN size ELSE -size END
            WHERE kind = TG_ARGV[0];
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER storage_inserted AFTER INSERT ON vrooli.pictures
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT
    EXECUTE FUNCTION vrooli.count_storage('pictures', 'octet_length(bytes)');
CREATE OR REPLACE TRIGGER storage_deleted AFTER DELETE ON vrooli.pictures
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT
    EXECUTE FUNCTION vrooli.count_storage('pictures', 'octet_length(bytes)');
CREATE OR REPLACE TRIGGER storage_inserted AFTER INSERT ON vrooli.posts
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT
    EXECUTE FUNCTION vrooli.count_storage('texts', 'octet_length(text)');
CREATE OR REPLACE TRIGGER storage_deleted AFTER DELETE ON vrooli.posts
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT
    EXECUTE FUNCTION vrooli.count_storage('texts', 'octet_length(text)');
CREATE OR REPLACE TRIGGER storage_inserted AFTER INSERT ON vrooli.idempotency_keys
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT
    EXECUTE FUNCTION
        vrooli.count_storage('texts', 'octet_length(key) + octet_length(answer::text)');
CREATE OR REPLACE TRIGGER storage_deleted AFTER DELETE ON vrooli.idempotency_keys
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT
    EXECUTE FUNCTION
        vrooli.count_storage('texts', 'octet_length(key) + octet_length(answer::text)');

-- Last: the triggers have locked the tables against writers until the end of the transaction.
INSERT INTO vrooli.storage SELECT * FROM vrooli.measure_storage()
    ON CONFLICT (kind) DO UPDATE SET bytes = excluded.bytes;
