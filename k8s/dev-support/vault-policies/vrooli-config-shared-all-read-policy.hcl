# Non-sensitive configuration: UI, server and jobs.
path "secret/data/vrooli/config/shared-all" {
  capabilities = ["read"]
}
