//go:build tools

package programs

import (
	_ "helm.sh/helm/v4/cmd/helm"
)
