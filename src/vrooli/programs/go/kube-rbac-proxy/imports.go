//go:build tools

package programs

import (
	_ "github.com/brancz/kube-rbac-proxy/cmd/kube-rbac-proxy"
)
