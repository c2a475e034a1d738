-- On PostgreSQL this step adds the function that appends a batch. SQLite needs
-- none: its only writer is the thread that holds the file.
SELECT 1;
