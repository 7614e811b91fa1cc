# Redis authentication (REDIS_PASSWORD): server and jobs.
path "secret/data/vrooli/secrets/redis" {
  capabilities = ["read"]
}
