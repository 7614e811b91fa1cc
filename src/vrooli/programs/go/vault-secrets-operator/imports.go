//go:build tools

package programs

import (
	_ "github.com/hashicorp/vault-secrets-operator"
)
