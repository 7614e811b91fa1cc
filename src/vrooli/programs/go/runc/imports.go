//go:build tools

package programs

import (
	_ "github.com/opencontainers/runc"
)
