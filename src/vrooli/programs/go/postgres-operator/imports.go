//go:build tools

package programs

import (
	_ "github.com/crunchydata/postgres-operator/cmd/postgres-operator"
)
