//go:build tools

package programs

import (
	_ "github.com/spotahome/redis-operator/cmd/redisoperator"
)
