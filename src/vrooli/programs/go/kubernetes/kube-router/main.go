// kube-router's controller of network policies, and nothing else of it: the stock main also
// compiles a router and a service proxy, which a cluster with kube-proxy and one bridge has no use
// for. It writes iptables rules and IP sets where it runs, so it is started in the network
// namespace of the cluster.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/cloudnativelabs/kube-router/v2/pkg/controllers/netpol"
	"github.com/cloudnativelabs/kube-router/v2/pkg/healthcheck"
	"github.com/cloudnativelabs/kube-router/v2/pkg/options"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	config, set := settings()
	if err := run(ctx, config, set); err != nil {
		fmt.Fprintln(os.Stderr, "network policies:", err)
		os.Exit(1)
	}
}

// settings are kube-router's own, with its own names for the flags that matter here, and the set of
// the pods that have rules.
func settings() (*options.KubeRouterConfig, string) {
	config := options.NewKubeRouterConfig()
	config.EnableIPv4 = true
	flag.StringVar(&config.Kubeconfig, "kubeconfig", "", "how to reach the API server")
	flag.StringVar(&config.HostnameOverride, "hostname-override", "", "the node's name")
	services := flag.String("service-cluster-ip-range", config.ClusterIPCIDRs[0], "of Services")
	set := flag.String("guarded-set", "", "nftables set of the pods with rules: family table name")
	flag.Parse()
	config.ClusterIPCIDRs = []string{*services}
	return config, *set
}

func run(ctx context.Context, config *options.KubeRouterConfig, set string) error {
	access, err := clientcmd.BuildConfigFromFlags("", config.Kubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(access)
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	pods := factory.Core().V1().Pods().Informer()
	namespaces := factory.Core().V1().Namespaces().Informer()
	policies := factory.Networking().V1().NetworkPolicies().Informer()
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(
		ctx.Done(), pods.HasSynced, namespaces.HasSynced, policies.HasSynced,
	) {
		return ctx.Err()
	}
	tables, sets, err := netpol.NewIPTablesHandlers(config)
	if err != nil {
		return err
	}
	for family, handler := range sets {
		sets[family] = &guardedPods{IPSetHandler: handler, tables: tables[family], set: set}
	}
	controller, err := netpol.NewNetworkPolicyController(
		client, config, pods, policies, namespaces, &sync.Mutex{}, tables, sets,
	)
	if err != nil {
		return err
	}
	for informer, handler := range map[cache.SharedIndexInformer]cache.ResourceEventHandler{
		pods:       controller.PodEventHandler,
		namespaces: controller.NamespaceEventHandler,
		policies:   controller.NetworkPolicyEventHandler,
	} {
		if _, err := informer.AddEventHandler(handler); err != nil {
			return err
		}
	}
	var running sync.WaitGroup
	running.Add(1)
	controller.Run(heard(ctx), ctx.Done(), &running)
	return nil
}

// heard takes the controller's signs of life, which it would otherwise wait to be rid of; the
// cluster's supervisor watches the process itself.
func heard(ctx context.Context) chan<- *healthcheck.ControllerHeartbeat {
	beats := make(chan *healthcheck.ControllerHeartbeat)
	go func() {
		for {
			select {
			case <-beats:
			case <-ctx.Done():
				return
			}
		}
	}()
	return beats
}
