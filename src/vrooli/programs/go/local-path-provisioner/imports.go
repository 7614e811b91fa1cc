//go:build tools

package programs

import (
	_ "github.com/rancher/local-path-provisioner"
)
