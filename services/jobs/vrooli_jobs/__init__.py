"""The background worker: moderation of pictures, and cron jobs."""
