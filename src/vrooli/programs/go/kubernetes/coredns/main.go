// CoreDNS with the plugins that a Kubernetes cluster's DNS uses, and no others: the stock main
// also compiles the clients of every cloud, which doubles the time to build it.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"

	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/forward"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/loadbalance"
	_ "github.com/coredns/coredns/plugin/loop"
	_ "github.com/coredns/coredns/plugin/metrics"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/reload"
)

// The order is CoreDNS's own (its plugin.cfg): a query passes the plugins in it.
func main() {
	dnsserver.Directives = []string{
		"reload", "health", "ready", "prometheus", "errors", "cache",
		"loadbalance", "loop", "kubernetes", "forward",
	}
	coremain.Run()
}
