// What the Postgres operator's backup jobs run: pgBackRest, executed in the pod that holds the
// repository. The operator passes what to do in the environment: COMMAND and COMMAND_OPTS for
// pgBackRest; NAMESPACE, SELECTOR and CONTAINER for where; COMPARE_HASH=true to wait until that
// pod sees the same configuration as this job. The job's service account may list pods and create
// an exec, no more, hence SPDY with POST: a websocket would need the right to get one.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
)

const (
	hashFile = "/etc/pgbackrest/conf.d/config-hash"
	// The kubelet may take over a minute to bring a changed ConfigMap into a running pod.
	hashPatience = 3 * time.Minute
	hashInterval = 2 * time.Second
)

type place struct{ namespace, pod, container string }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "pgbackrest job:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	config, err := rest.InClusterConfig()
	if err != nil {
		return err
	}
	pod, err := findPod(ctx, config, os.Getenv("NAMESPACE"), os.Getenv("SELECTOR"))
	if err != nil {
		return err
	}
	where := place{os.Getenv("NAMESPACE"), pod, os.Getenv("CONTAINER")}
	if os.Getenv("COMPARE_HASH") == "true" {
		if err := awaitSameConfig(ctx, config, where); err != nil {
			return err
		}
	}
	// The options come as one string with shell quoting, as the operator writes it.
	command := fmt.Sprintf("exec pgbackrest %s %s", os.Getenv("COMMAND"), os.Getenv("COMMAND_OPTS"))
	fmt.Printf("%s/%s %s: %s\n", where.namespace, where.pod, where.container, command)
	return execute(ctx, config, where, []string{"bash", "-ceu", command}, os.Stdout)
}

// findPod names the first running pod that the selector takes.
func findPod(ctx context.Context, config *rest.Config, namespace, selector string) (string, error) {
	query := url.Values{"labelSelector": {selector}, "fieldSelector": {"status.phase=Running"}}
	address, err := endpoint(config, query, "namespaces", namespace, "pods")
	if err != nil {
		return "", err
	}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return "", err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return "", err
	}
	answer, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return "", fmt.Errorf("listing the pods of %s: %s", namespace, answer.Status)
	}
	var pods struct {
		Items []struct{ Metadata struct{ Name string } }
	}
	if err := json.NewDecoder(answer.Body).Decode(&pods); err != nil {
		return "", err
	}
	if len(pods.Items) == 0 {
		return "", fmt.Errorf("no running pod in %s matches %s", namespace, selector)
	}
	return pods.Items[0].Metadata.Name, nil
}

// awaitSameConfig waits until the pod's configuration has the hash of this job's own.
func awaitSameConfig(ctx context.Context, config *rest.Config, where place) error {
	ctx, cancel := context.WithTimeout(ctx, hashPatience)
	defer cancel()
	for {
		own, err := os.ReadFile(hashFile)
		if err != nil {
			return err
		}
		var theirs bytes.Buffer
		if err := execute(ctx, config, where, []string{"cat", hashFile}, &theirs); err != nil {
			return err
		}
		if strings.TrimSpace(string(own)) == strings.TrimSpace(theirs.String()) {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.New("the pod's pgBackRest configuration stayed another than the job's")
		case <-time.After(hashInterval):
		}
	}
}

// execute runs a command in a container; its errors go to ours.
func execute(ctx context.Context, config *rest.Config, where place, command []string, output io.Writer) error {
	query := url.Values{
		"command": command, "container": {where.container}, "stdout": {"true"}, "stderr": {"true"},
	}
	address, err := endpoint(config, query, "namespaces", where.namespace, "pods", where.pod, "exec")
	if err != nil {
		return err
	}
	executor, err := remotecommand.NewSPDYExecutor(config, http.MethodPost, address)
	if err != nil {
		return err
	}
	return executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdout: output, Stderr: os.Stderr})
}

// endpoint is an address of the core API with path parts and a query.
func endpoint(config *rest.Config, query url.Values, parts ...string) (*url.URL, error) {
	address, err := url.Parse(config.Host)
	if err != nil {
		return nil, err
	}
	address = address.JoinPath(append([]string{"api", "v1"}, parts...)...)
	address.RawQuery = query.Encode()
	return address, nil
}
