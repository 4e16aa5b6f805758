"""Second floor: files become documents. Decode, segment, encode, enrich, commit; and the durable jobs that drive it."""
