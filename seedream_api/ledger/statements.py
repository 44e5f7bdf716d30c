"""Every SQL statement that the open ledger runs; its tables are made in ``migrations.py``.

They keep to what SQLite and PostgreSQL share. ``typeof``, because in SQLite a cell may hold any
type, is a function of the tables in PostgreSQL (``postgres_schema.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .states import RECOVERABLE_STATES, RELEASED_STATES, UNFINISHED_STATES, State

Values = dict[str, object]


def quote_states(states: Iterable[State]) -> str:
    """List states for ``IN``."""
    return ", ".join(f"'{state.value}'" for state in states)


def list_values(values: Sequence[object], name: str = "value") -> tuple[str, Values]:
    """Name a parameter for each value of an ``IN`` list; an empty list matches nothing."""
    if not values:
        return "NULL", {}
    named: Values = {f"{name}{number}": value for number, value in enumerate(values)}
    return ", ".join(f":{name}" for name in named), named


# --- jobs -----------------------------------------------------------------------------------------

JOB = "SELECT * FROM requests WHERE id = :id"
JOBS_OF_TASK = """
    SELECT * FROM requests WHERE task_id = :task_id AND state != 'forgotten' ORDER BY id DESC
"""
JOB_BY_NAME = """
    SELECT * FROM requests WHERE id = :id OR task_id = :task_id
    ORDER BY state = 'forgotten', id DESC
"""
HAS_URL_REFERENCE = """(refs LIKE '%"url:%' OR refs LIKE '%"url-sha256:%')"""
"""A reference is a URL. An index has this condition, so statements must have the same words."""
ADDRESSES_WITH_SEED = """
    WITH RECURSIVE known (address) AS (
        SELECT MIN(address) FROM requests WHERE seed = :seed AND fingerprint IS NOT NULL
        UNION ALL SELECT (
            SELECT MIN(address) FROM requests
            WHERE seed = :seed AND fingerprint IS NOT NULL AND address > known.address
        ) FROM known WHERE known.address IS NOT NULL
    )
    SELECT address FROM known WHERE address IS NOT NULL
"""
"""Each address once, by one step in an index: most requests have the same seed and address."""
RECOVERABLE_JOBS = f"""
    SELECT * FROM requests WHERE state IN ({quote_states(RECOVERABLE_STATES)})
    OR state = 'unknown' AND (task_id IS NOT NULL
        OR EXISTS (SELECT 1 FROM responses WHERE responses.request = requests.id))
    ORDER BY state != 'answered', id
"""  # noqa: S608 - made of constants
"""Those whose links may expire first; *unknown* ones only with a hint at what was made."""
SECONDS_TO_RESULT = """
    SELECT answered_at, accepted_at FROM requests
    WHERE model = :model AND answered_at > accepted_at ORDER BY id DESC LIMIT 20
"""
INSERT_JOB = """
    INSERT INTO requests (state, owner, fingerprint, family, model, address, key_print, profile,
        prompt, fields, refs, seed, asked, notes, idempotency_key, created_at, updated_at)
    VALUES ('intended', :owner, :fingerprint, :family, :model, :address, :key_fingerprint, :profile,
        :prompt, :fields, :refs, :seed, :asked, :notes, :idempotency_key, :now, :now)
"""
INSERT_TASK = """
    INSERT INTO requests (state, owner, address, key_print, profile, task_id, created_at,
        accepted_at, updated_at)
    VALUES ('accepted', :owner, :address, :key_fingerprint, :profile, :task_id, :now, :now, :now)
"""
SET_STATE = """
    UPDATE requests SET state = :state, error = :error, task_id = COALESCE(:task_id, task_id),
        request_id = COALESCE(:request_id, request_id), updated_at = :now,
        charged_images = CASE WHEN :state IN ('refused', 'failed', 'withdrawn') THEN 0
            WHEN :state IN ('intended', 'sending') THEN NULL ELSE charged_images END
    WHERE id = :id
"""
SET_RESERVATION = """
    UPDATE requests SET run = :run, profile = :profile, currency = :currency,
        image_price = :image_price, references_price = :references_price WHERE id = :id
"""
COUNT_CHARGED_IMAGES = """
    UPDATE requests SET charged_images = (
        SELECT COUNT(*) FROM images WHERE request = :id AND error IS NULL) WHERE id = :id
"""
CLEAR_SENT_AT = "UPDATE requests SET sent_at = NULL WHERE id = :id"
_COUNTED = "COALESCE(charged_images, asked)"
_SPENT = f"""
    SELECT SUM({_COUNTED}) AS images, SUM(CASE WHEN currency = :currency AND {_COUNTED} > 0
        THEN image_price * {_COUNTED} + references_price END) AS cost
    FROM requests WHERE (address = 'sandbox') = :is_sandbox AND
"""  # noqa: S608 - made of constants
SPENT_SINCE = f"{_SPENT} sent_at >= :since"
_SENT = """
    SELECT sent_at, model, profile, currency, image_price, references_price, charged_images, asked,
        fields, refs, state
    FROM requests WHERE sent_at >= :since AND
"""
SENT_SINCE = f"{_SENT} (address = 'sandbox') = :is_sandbox ORDER BY sent_at"
SENT_WITH_KEY = f"{_SENT} address = :address AND key_print = :key_fingerprint"
SPENT_IN_RUN = f"{_SPENT} run = :run AND sent_at IS NOT NULL"
SET_OWNER = "UPDATE requests SET owner = :owner WHERE id = :id"
SET_PROFILE = """
    UPDATE requests SET key_print = :key_fingerprint, profile = :profile WHERE id = :id
"""
RELEASE = "UPDATE requests SET owner = NULL WHERE id = :id AND owner = :owner"
SET_DELIVERED_AT = "UPDATE requests SET delivered_at = :now WHERE id = :id"


def older_spellings(addresses: Sequence[str], *, has_content: bool) -> tuple[str, Values]:
    """Select addresses and references of earlier requests that may be spelled otherwise.

    Args:
        addresses: other spellings of the address.
        has_content: whether a reference is identified by its content, so that rows of version 0.1
            may hold its URL.
    """
    marks, values = list_values(addresses)
    select = f"""
        SELECT address, refs FROM requests
        WHERE seed = :seed AND fingerprint IS NOT NULL
        AND state NOT IN ({quote_states(RELEASED_STATES)}) AND
    """  # noqa: S608 - made of constants
    by_url = f" UNION {select} {HAS_URL_REFERENCE}" if has_content else ""
    return f"{select} address IN ({marks}){by_url}", values


def jobs_by_fingerprint(fingerprints: Sequence[str]) -> tuple[str, Values]:
    marks, values = list_values(fingerprints)
    return (
        f"SELECT * FROM requests WHERE fingerprint IN ({marks}) "  # noqa: S608 - parameters
        f"AND state NOT IN ({quote_states(RELEASED_STATES)}) ORDER BY id"
    ), values


def set_timestamp(column: str, *, keeps_first: bool) -> str:
    """Set one of ``STATE_TIMESTAMPS``."""
    value = f"COALESCE({column}, :now)" if keeps_first else ":now"
    return f"UPDATE requests SET {column} = {value} WHERE id = :id"  # noqa: S608 - constants


UNFINISHED_OWNERS = f"""
    SELECT owner, COUNT(*) AS total FROM requests
    WHERE state IN ({quote_states(UNFINISHED_STATES)}) GROUP BY owner
"""  # noqa: S608 - made of constants
COUNT_BY_STATE = "SELECT state, COUNT(*) AS total FROM requests GROUP BY state"
MODELS_OF_JOBS = "SELECT DISTINCT model FROM requests WHERE model IS NOT NULL ORDER BY model"


def count_jobs(where: str) -> str:
    return f"SELECT COUNT(*) AS total FROM requests WHERE {where}"  # noqa: S608 - constants


def page_of_jobs(where: str) -> str:
    return f"SELECT * FROM requests WHERE {where} ORDER BY id DESC LIMIT :limit OFFSET :offset"  # noqa: S608


# --- images ---------------------------------------------------------------------------------------

_BYTES = "MAX(CASE WHEN typeof(bytes) = 'integer' AND bytes BETWEEN 0 AND 1e12 THEN bytes END)"
_FINISHED = quote_states(state for state in State if state not in UNFINISHED_STATES)

IMAGE_BY_URL = """
    SELECT * FROM images WHERE url = :url AND file IS NOT NULL ORDER BY request DESC
"""
STORED_FILES = f"""
    SELECT * FROM (
        SELECT sha256, file, {_BYTES} AS bytes, MIN(is_copy) AS is_copy,
            CASE WHEN COUNT(*) = COUNT(delivered) THEN MAX(delivered) END AS delivered
        FROM (
            SELECT sha256, file, bytes, CASE WHEN typeof(delivered_at) = 'real'
                AND state IN ({_FINISHED}) THEN delivered_at END AS delivered, 0 AS is_copy
            FROM images JOIN requests ON requests.id = images.request WHERE file IS NOT NULL
            UNION ALL SELECT sha256, file, bytes, used_at, 1 FROM reference_files
        ) AS uses GROUP BY sha256, file
    ) AS files ORDER BY delivered IS NULL, is_copy DESC, delivered
"""  # noqa: S608 - made of constants
"""Result images, and copies of reference images, which count as delivered when they were used.

Copies come first: pruning must not remove an image that was paid for while it keeps a copy.
"""
STORED_BYTES = f"""
    SELECT COALESCE(SUM(bytes), 0) AS total FROM (
        SELECT {_BYTES} AS bytes FROM (
            SELECT sha256, bytes FROM images WHERE file IS NOT NULL
            UNION ALL SELECT sha256, bytes FROM reference_files
        ) AS every GROUP BY sha256) AS files
"""  # noqa: S608 - made of constants
RECORD_ITEM = """
    INSERT INTO images (request, position, url, url_seen_at, url_expires_at, error)
    VALUES (:request, :position, :url, :url_seen_at, :url_expires_at, :error)
    ON CONFLICT (request, position) DO UPDATE SET url = excluded.url, error = excluded.error,
        url_seen_at = CASE images.url WHEN excluded.url THEN images.url_seen_at
            ELSE excluded.url_seen_at END,
        url_expires_at = CASE images.url WHEN excluded.url THEN images.url_expires_at
            ELSE excluded.url_expires_at END
"""
"""A link that the service repeats keeps its age."""
RECORD_FILE = """
    UPDATE images SET sha256 = :sha256, file = :file, bytes = :bytes, media_type = :media_type,
        width = :width, height = :height WHERE request = :request AND position = :position
"""
CLEAR_MISSING_FILE = """
    UPDATE images SET sha256 = NULL, file = NULL WHERE request = :request AND position = :position
"""
CLEAR_PRUNED_FILE = "UPDATE images SET file = NULL WHERE sha256 = :sha256"
IMAGE_BY_CONTENT = "SELECT * FROM images WHERE sha256 = :sha256 AND file IS NOT NULL"


def images_of_jobs(ids: Sequence[int]) -> tuple[str, Values]:
    marks, values = list_values(ids)
    return f"SELECT * FROM images WHERE request IN ({marks}) ORDER BY request, position", values  # noqa: S608


# --- kept responses -------------------------------------------------------------------------------

RESPONSES = "SELECT * FROM responses WHERE request = :request ORDER BY number DESC"
COMPARE_RESPONSES = """
    SELECT number, body = :body AS is_same FROM responses WHERE request = :request ORDER BY number
"""
DELETE_RESPONSE = "DELETE FROM responses WHERE request = :request AND number = :number"
INSERT_RESPONSE = """
    INSERT INTO responses (request, number, status, body, note, truncated, received_at)
    VALUES (:request, :number, :status, :body, :note, :truncated, :received_at)
"""

# --- uploads and the URLs that were given out -----------------------------------------------------

_UPLOAD = "FROM uploads WHERE content = :content AND way = :target AND place = :location"
UPLOAD = f"SELECT * {_UPLOAD}"
DELETE_UPLOAD = f"DELETE {_UPLOAD}"
DELETE_EXPIRED_UPLOADS = """
    DELETE FROM uploads WHERE COALESCE(expires_at, created_at + :assumed_life_s) < :now
"""
INSERT_UPLOAD = """
    INSERT INTO uploads (content, way, place, url, expires_at, width, height, media_type,
        bytes, lossless, notes, created_at)
    VALUES (:content, :target, :location, :url, :expires_at, :width, :height, :media_type, :bytes,
        :lossless, :notes, :now)
"""
DELETE_UPLOADS = "DELETE FROM uploads WHERE content = :content"
# The first content stays: another source of equal bytes may share the object later.
CONTENT_OF_URL = "SELECT content FROM given_urls WHERE object = :object ORDER BY id LIMIT 1"
URLS_OF_CONTENT = "SELECT url FROM given_urls WHERE content = :content"

# --- copies of reference images -------------------------------------------------------------------

SAVE_REFERENCE_FILE = """
    INSERT INTO reference_files (content, sha256, file, bytes, media_type, width, height, used_at)
    VALUES (:content, :sha256, :file, :bytes, :media_type, :width, :height, :now)
    ON CONFLICT (content) DO UPDATE SET sha256 = excluded.sha256, file = excluded.file,
        bytes = excluded.bytes, media_type = excluded.media_type, width = excluded.width,
        height = excluded.height, used_at = excluded.used_at
"""
NOTE_REFERENCE_USE = "UPDATE reference_files SET used_at = :now WHERE content = :content"
REFERENCE_FILE = "SELECT * FROM reference_files WHERE content = :content"
DELETE_REFERENCE_FILE = "DELETE FROM reference_files WHERE sha256 = :sha256"

# --- files in the bucket that machines share ------------------------------------------------------

UNSHARED_FILES = """
    SELECT sha256, file, bytes, media_type FROM (
        SELECT sha256, file, bytes, media_type, request FROM images WHERE file IS NOT NULL
        UNION ALL SELECT sha256, file, bytes, media_type, NULL FROM reference_files) AS files
    WHERE NOT EXISTS (SELECT 1 FROM shared_files WHERE sha256 = files.sha256 AND place = :place)
    ORDER BY request IS NULL, request
"""
SHARED_HASHES = "SELECT sha256 FROM shared_files WHERE place = :place"
RECORD_SHARED = "INSERT INTO shared_files VALUES (:sha256, :place, :now) ON CONFLICT DO NOTHING"
FORGET_SHARED = "DELETE FROM shared_files WHERE sha256 = :sha256 AND place = :place"

# --- whole tables ---------------------------------------------------------------------------------

OWNERS = "SELECT DISTINCT owner FROM requests WHERE owner IS NOT NULL"


def any_row(table: str) -> str:
    return f"SELECT 1 FROM {table} LIMIT 1"  # noqa: S608 - a constant


def page_of_rows(table: str, keys: Sequence[str], *, is_first: bool) -> str:
    """Read rows in the order of their keys, after the row with the given ones."""
    columns = ", ".join(keys)
    after = "TRUE" if is_first else f"({columns}) > ({', '.join(f':{key}' for key in keys)})"
    return f"SELECT * FROM {table} WHERE {after} ORDER BY {columns} LIMIT :limit"  # noqa: S608


def row_by_key(table: str, keys: Sequence[str]) -> str:
    where = " AND ".join(f"{key} = :{key}" for key in keys)
    return f"SELECT * FROM {table} WHERE {where}"  # noqa: S608 - constants


def insert_row(table: str, columns: Sequence[str]) -> str:
    values = ", ".join(f":{column}" for column in columns)
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values})"  # noqa: S608 - constants
