# Database credentials (DB_NAME, DB_USER, DB_PASSWORD): server and jobs.
path "secret/data/vrooli/secrets/postgres" {
  capabilities = ["read"]
}
