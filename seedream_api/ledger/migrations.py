"""The ledger's tables, as numbered migrations."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .statements import HAS_URL_REFERENCE, quote_states
from .states import RELEASED_STATES, State

STATE_TIMESTAMPS: Mapping[State, str] = MappingProxyType({
    State.SENDING: "sent_at",
    State.ACCEPTED: "accepted_at",
    State.ANSWERED: "answered_at",
    State.COMPLETED: "finished_at",
    State.PARTIAL: "finished_at",
    State.EMPTY: "finished_at",
    State.REFUSED: "finished_at",
    State.FAILED: "finished_at",
    State.UNKNOWN: "finished_at",
    State.WITHDRAWN: "finished_at",
})  # fmt: skip
"""The column that records when a row came to a state."""

_OBJECT = "substr({0}, 1, instr({0} || '?X-Amz-', '?X-Amz-') - 1)"
"""``strip_signature`` of ``request_identity.py`` in SQL."""

_GIVEN_URLS = f"""
    CREATE TABLE given_urls (
        id INTEGER PRIMARY KEY,
        url TEXT NOT NULL UNIQUE,
        object TEXT NOT NULL,
        content TEXT NOT NULL
    );
    CREATE INDEX given_urls_by_object ON given_urls (object);
    CREATE INDEX given_urls_by_content ON given_urls (content);
    CREATE INDEX requests_by_seed ON requests (seed) WHERE fingerprint IS NOT NULL;
    INSERT OR IGNORE INTO given_urls (url, object, content)
        SELECT url, {_OBJECT.format("url")}, content FROM uploads ORDER BY created_at;
    INSERT OR IGNORE INTO given_urls (url, object, content)
        SELECT url, {_OBJECT.format("url")}, 'sha256:' || sha256 FROM images
        WHERE url IS NOT NULL AND sha256 IS NOT NULL ORDER BY request, position;
    CREATE TRIGGER note_upload AFTER INSERT ON uploads
    WHEN NOT EXISTS (SELECT 1 FROM given_urls WHERE url = NEW.url) BEGIN
        INSERT INTO given_urls (url, object, content)
        VALUES (NEW.url, {_OBJECT.format("NEW.url")}, NEW.content);
    END;
    CREATE TRIGGER note_result AFTER UPDATE OF url, sha256 ON images
    WHEN NEW.url IS NOT NULL AND NEW.sha256 IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM given_urls WHERE url = NEW.url) BEGIN
        INSERT INTO given_urls (url, object, content)
        VALUES (NEW.url, {_OBJECT.format("NEW.url")}, 'sha256:' || NEW.sha256);
    END;
"""  # noqa: S608 - made of constants
"""URLs that the ledger gave out, and the content of the image at each. Hosts renew such URLs, and
paid requests hold them: a URL stays when its upload expires or another one replaces it. Triggers
catch every writer, even version 0.1."""

SPELLING_INDEXES = f"""
    CREATE INDEX requests_by_spelling ON requests (seed, address) WHERE fingerprint IS NOT NULL;
    CREATE INDEX requests_by_url_reference ON requests (seed)
        WHERE fingerprint IS NOT NULL AND {HAS_URL_REFERENCE};
"""
"""Most requests have the same seed: these find the few that may be spelled otherwise."""

_COSTS = f"""
    ALTER TABLE requests ADD COLUMN profile TEXT;
    ALTER TABLE requests ADD COLUMN run TEXT;
    ALTER TABLE requests ADD COLUMN currency TEXT;
    ALTER TABLE requests ADD COLUMN image_price INTEGER;
    ALTER TABLE requests ADD COLUMN references_price INTEGER;
    ALTER TABLE requests ADD COLUMN charged_images INTEGER;
    UPDATE requests SET charged_images = CASE
        WHEN state IN ({quote_states(RELEASED_STATES[:3])}) THEN 0
        WHEN EXISTS (SELECT 1 FROM images WHERE request = requests.id) THEN (
            SELECT COUNT(*) FROM images WHERE request = requests.id AND error IS NULL)
        WHEN error LIKE '%"charge": "none"%' THEN 0
    END WHERE sent_at IS NOT NULL;
    CREATE INDEX requests_by_sending ON requests (sent_at, address, currency, charged_images,
        asked, image_price, references_price) WHERE sent_at IS NOT NULL;
    CREATE INDEX requests_by_run ON requests (run) WHERE run IS NOT NULL;
"""  # noqa: S608 - made of constants
"""What each request costs; amounts are integers, in millionths of the currency, so that SQL adds
them exactly. ``charged_images`` is NULL until the outcome is known; then ``asked`` counts."""

MIGRATIONS: tuple[str, ...] = (
    f"""
    CREATE TABLE requests (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        state TEXT NOT NULL,
        owner TEXT,
        fingerprint TEXT,
        family TEXT,
        model TEXT,
        address TEXT NOT NULL,
        key_print TEXT,
        prompt TEXT,
        fields TEXT,
        refs TEXT,
        seed TEXT,
        asked INTEGER,
        notes TEXT,
        idempotency_key TEXT,
        task_id TEXT,
        request_id TEXT,
        error TEXT,
        created_at REAL NOT NULL,
        updated_at REAL NOT NULL,
        sent_at REAL,
        accepted_at REAL,
        answered_at REAL,
        finished_at REAL,
        delivered_at REAL
    );
    CREATE UNIQUE INDEX one_live_row_an_intent ON requests (fingerprint)
        WHERE fingerprint IS NOT NULL AND state NOT IN ({quote_states(RELEASED_STATES)});
    CREATE INDEX requests_by_task ON requests (task_id) WHERE task_id IS NOT NULL;
    CREATE INDEX requests_by_state ON requests (state, id);
    CREATE INDEX requests_by_model ON requests (model, id);
    CREATE TABLE images (
        request INTEGER NOT NULL REFERENCES requests (id),
        position INTEGER NOT NULL,
        url TEXT,
        url_seen_at REAL,
        sha256 TEXT,
        file TEXT,
        bytes INTEGER,
        media_type TEXT,
        width INTEGER,
        height INTEGER,
        error TEXT,
        PRIMARY KEY (request, position)
    );
    CREATE INDEX images_by_url ON images (url) WHERE url IS NOT NULL;
    CREATE INDEX images_by_content ON images (sha256) WHERE sha256 IS NOT NULL;
    """,
    """
    CREATE TABLE uploads (
        content TEXT NOT NULL,
        way TEXT NOT NULL,
        place TEXT NOT NULL,
        url TEXT NOT NULL,
        expires_at REAL,
        width INTEGER NOT NULL,
        height INTEGER NOT NULL,
        media_type TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        lossless INTEGER NOT NULL,
        notes TEXT NOT NULL,
        created_at REAL NOT NULL,
        PRIMARY KEY (content, way, place)
    );
    """,
    """
    ALTER TABLE images ADD COLUMN url_expires_at REAL;
    """,
    """
    CREATE TABLE responses (
        request INTEGER NOT NULL REFERENCES requests (id),
        number INTEGER NOT NULL,
        status INTEGER,
        body BLOB NOT NULL,
        note TEXT NOT NULL,
        truncated INTEGER NOT NULL,
        received_at REAL NOT NULL,
        PRIMARY KEY (request, number)
    );
    """,
    _GIVEN_URLS,
    """
    CREATE TABLE reference_files (
        content TEXT PRIMARY KEY,
        sha256 TEXT NOT NULL,
        file TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        media_type TEXT NOT NULL,
        width INTEGER NOT NULL,
        height INTEGER NOT NULL,
        used_at REAL NOT NULL
    );
    CREATE INDEX reference_files_by_file ON reference_files (sha256);
    """,
    _COSTS,
    f"""
    DROP INDEX requests_by_seed;
    {SPELLING_INDEXES}
    """,
    """
    CREATE TABLE shared_files (
        sha256 TEXT NOT NULL,
        place TEXT NOT NULL,
        shared_at REAL NOT NULL,
        PRIMARY KEY (sha256, place)
    );
    """,
)
"""Applied in order; ``PRAGMA user_version`` counts those a file has. Never edited, only added."""
