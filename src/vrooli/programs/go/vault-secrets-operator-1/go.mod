module vrooli.example/programs/vault-secrets-operator-1

go 1.24

require github.com/hashicorp/vault-secrets-operator v1.5.0
