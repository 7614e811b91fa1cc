"""Rules about Redis, Sentinel and the Redis operator. No I/O."""
