# API keys and other secrets: server and jobs only.
path "secret/data/vrooli/secrets/shared-server-jobs" {
  capabilities = ["read"]
}
