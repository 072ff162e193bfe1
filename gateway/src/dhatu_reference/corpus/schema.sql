-- Numbers are never used again, so that "everything up to this number" stays the same set of documents.
CREATE TABLE IF NOT EXISTS documents (
    number       INTEGER PRIMARY KEY AUTOINCREMENT,
    id           TEXT NOT NULL UNIQUE,
    title        TEXT NOT NULL,
    text         TEXT NOT NULL,
    language     TEXT NOT NULL,
    source       TEXT NOT NULL,
    characters   INTEGER NOT NULL,
    collected_at TEXT NOT NULL
);

CREATE INDEX IF NOT EXISTS documents_by_language ON documents (language);

-- Marks (Mn, Mc) belong to words: without them every vowel sign would cut a word in Devanāgarī.
CREATE VIRTUAL TABLE IF NOT EXISTS documents_index USING fts5 (
    title,
    text,
    content = 'documents',
    content_rowid = 'number',
    tokenize = "unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'"
);

CREATE TRIGGER IF NOT EXISTS documents_added AFTER INSERT ON documents BEGIN
    INSERT INTO documents_index (rowid, title, text) VALUES (new.number, new.title, new.text);
END;

CREATE TRIGGER IF NOT EXISTS documents_deleted AFTER DELETE ON documents BEGIN
    INSERT INTO documents_index (documents_index, rowid, title, text)
    VALUES ('delete', old.number, old.title, old.text);
END;

-- Documents that were received and wait for their job; jobs do not survive a restart.
CREATE TABLE IF NOT EXISTS staged (
    number   INTEGER PRIMARY KEY,
    batch    TEXT NOT NULL,
    id       TEXT NOT NULL,
    title    TEXT NOT NULL,
    text     TEXT NOT NULL,
    language TEXT NOT NULL,
    source   TEXT NOT NULL
);

CREATE INDEX IF NOT EXISTS staged_by_batch ON staged (batch, number);

DELETE FROM staged;
