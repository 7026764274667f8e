-- What is declared: a catalog has neither database nor relation, a database no relation. The content is JSON.
CREATE TABLE catalog_store_entries (
    catalog TEXT NOT NULL,
    database TEXT NOT NULL,
    relation TEXT NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (catalog, database, relation)
);
-- Rises with every change, so that a gateway sees that another one has declared something.
CREATE TABLE catalog_store_version (
    singleton BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (singleton),
    version BIGINT NOT NULL
);
INSERT INTO catalog_store_version (version) VALUES (0);
