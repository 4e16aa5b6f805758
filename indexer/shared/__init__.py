"""The shared queue: records and a bell in Redis, and the processes that do its jobs. Needs the extra `queue`."""
