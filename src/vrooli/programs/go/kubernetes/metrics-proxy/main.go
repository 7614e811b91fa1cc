// Serves the metrics of an operator over HTTPS, to callers whose token the API server accepts and
// whom it allows to read that path. The options are those that the chart of the Vault Secrets
// Operator passes to kube-rbac-proxy.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/authenticatorfactory"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/authorization/authorizerfactory"
	"k8s.io/apiserver/pkg/server/options"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/cert"
)

const (
	reviewTimeout = 10 * time.Second
	// As long as the API server's own extensions remember an answer.
	cacheTTL     = 10 * time.Second
	readTimeout  = 10 * time.Second
	writeTimeout = 30 * time.Second
	maxHeader    = 32 << 10
	drainTimeout = 5 * time.Second
)

// guard answers only callers that may read the path that they ask for.
type guard struct {
	callers authenticator.Request
	rights  authorizer.Authorizer
	next    http.Handler
}

func main() {
	address := flag.String("secure-listen-address", ":8443", "where HTTPS is served")
	upstream := flag.String("upstream", "http://127.0.0.1:8080/", "what is served, without HTTPS")
	kubeconfig := flag.String("kubeconfig", "", "of the API server; that of the pod without it")
	flag.Bool("logtostderr", true, "ignored: the log always goes to standard error")
	flag.Int("v", 0, "ignored: only errors are logged")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, *address, *upstream, *kubeconfig); err != nil {
		fmt.Fprintln(os.Stderr, "metrics proxy:", err)
		os.Exit(1)
	}
}

func serve(ctx context.Context, address, upstream, kubeconfig string) error {
	target, err := url.Parse(upstream)
	if err != nil {
		return err
	}
	handler, err := newGuard(kubeconfig, httputil.NewSingleHostReverseProxy(target))
	if err != nil {
		return err
	}
	certificate, err := selfSigned()
	if err != nil {
		return err
	}
	server := &http.Server{
		Addr:              address,
		Handler:           handler,
		ReadHeaderTimeout: readTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       writeTimeout,
		MaxHeaderBytes:    maxHeader,
		TLSConfig: &tls.Config{
			Certificates: []tls.Certificate{certificate},
			MinVersion:   tls.VersionTLS12,
		},
	}
	failure := make(chan error, 1)
	go func() { failure <- server.ListenAndServeTLS("", "") }()
	select {
	case err := <-failure:
		return err
	case <-ctx.Done():
		limited, cancel := context.WithTimeout(context.Background(), drainTimeout)
		defer cancel()
		return server.Shutdown(limited)
	}
}

func newGuard(kubeconfig string, next http.Handler) (*guard, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	callers, _, err := authenticatorfactory.DelegatingAuthenticatorConfig{
		TokenAccessReviewClient:  client.AuthenticationV1(),
		TokenAccessReviewTimeout: reviewTimeout,
		WebhookRetryBackoff:      options.DefaultAuthWebhookRetryBackoff(),
		CacheTTL:                 cacheTTL,
	}.New()
	if err != nil {
		return nil, err
	}
	rights, err := authorizerfactory.DelegatingAuthorizerConfig{
		SubjectAccessReviewClient: client.AuthorizationV1(),
		AllowCacheTTL:             cacheTTL,
		DenyCacheTTL:              cacheTTL,
		WebhookRetryBackoff:       options.DefaultAuthWebhookRetryBackoff(),
	}.New()
	if err != nil {
		return nil, err
	}
	return &guard{callers, rights, next}, nil
}

func (g *guard) ServeHTTP(response http.ResponseWriter, request *http.Request) {
	caller, known, err := g.callers.AuthenticateRequest(request)
	if err != nil || !known {
		logFailure("authentication", err)
		http.Error(response, "Unauthorized", http.StatusUnauthorized)
		return
	}
	decision, _, err := g.rights.Authorize(request.Context(), authorizer.AttributesRecord{
		User: caller.User,
		Verb: strings.ToLower(request.Method),
		Path: request.URL.Path,
	})
	if err != nil || decision != authorizer.DecisionAllow {
		logFailure("authorization", err)
		http.Error(response, "Forbidden", http.StatusForbidden)
		return
	}
	// The upstream needs no token, and must not get one.
	request.Header.Del("Authorization")
	g.next.ServeHTTP(response, request)
}

// logFailure reports that the API server could not be asked; a refusal is no error.
func logFailure(step string, err error) {
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintf(os.Stderr, "metrics proxy: %s: %v\n", step, err)
	}
}

func selfSigned() (tls.Certificate, error) {
	host, err := os.Hostname()
	if err != nil {
		return tls.Certificate{}, err
	}
	certificate, key, err := cert.GenerateSelfSignedCertKey(host, nil, nil)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(certificate, key)
}
