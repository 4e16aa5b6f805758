"""The shared queue: records in Redis, delivery and worker processes by Celery. Needs the extra `queue`."""
