# The development Vault: one OpenBao server with its storage on a volume.

ui           = false
api_addr     = "https://vault.vault.svc.cluster.local:8202"
cluster_addr = "https://127.0.0.1:8201"

# Plain http at the address of the specification.
listener "tcp" {
  # Both address families, where the kernel has both.
  address     = ":8200"
  tls_disable = true
}

# The default of staging and production. Its certificate is renewed by setup and develop.
listener "tcp" {
  address       = ":8202"
  tls_cert_file = "/openbao/tls/tls.crt"
  tls_key_file  = "/openbao/tls/tls.key"
}

storage "raft" {
  path    = "/openbao/data"
  node_id = "vault-0"
  # There is nobody else to vote: elections need not wait.
  performance_multiplier = 1
}

# Unseals itself after each restart, with a key that stands in a Secret of its namespace.
seal "static" {
  current_key_id = "1"
  current_key    = "file:///openbao/seal/key"
}

# At the first start only, by the server itself, which then revokes its root token: whoever may
# make tokens for the service account vault-admin may configure this Vault, and no key to it is
# kept anywhere.
initialize "login" {
  request "enable-kubernetes" {
    operation = "update"
    path      = "sys/auth/kubernetes"
    data = {
      type        = "kubernetes"
      description = "Service accounts of this cluster"
    }
  }

  request "configure-kubernetes" {
    operation = "update"
    path      = "auth/kubernetes/config"
    data = {
      kubernetes_host = "https://kubernetes.default.svc.cluster.local"
    }
  }
}

initialize "administrator" {
  request "admin-policy" {
    operation = "update"
    path      = "sys/policies/acl/vrooli-admin"
    data = {
      policy = <<-EOT
        path "*" {
          capabilities = ["create", "read", "update", "patch", "delete", "list", "sudo"]
        }
      EOT
    }
  }

  request "admin-role" {
    operation = "update"
    path      = "auth/kubernetes/role/vrooli-admin"
    data = {
      bound_service_account_names      = ["vault-admin"]
      bound_service_account_namespaces = ["vault"]
      token_policies                   = ["vrooli-admin"]
      token_ttl                        = "15m"
    }
  }
}
