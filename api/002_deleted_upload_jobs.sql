-- Which jobs were still to read the uploads, or had not ended, when they were deleted: JSON list of ids. They are not to bring
-- back what somebody deleted after it was sent.
ALTER TABLE deleted_upload ADD COLUMN jobs TEXT NOT NULL DEFAULT '[]';
