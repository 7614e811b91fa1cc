//go:build tools

package programs

import (
	_ "github.com/traefik/traefik/v3/cmd/traefik"
)
