package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"

	"github.com/cloudnativelabs/kube-router/v2/pkg/utils"
)

// ruleOfPod matches the rule that leads packets to a pod into the chain of the pod.
var ruleOfPod = regexp.MustCompile(`^-A KUBE-ROUTER-FORWARD .*-d ([0-9.]+)(?:/32)? .*-j KUBE-POD-FW-`)

// guardedPods writes the addresses of all pods that have a chain into a set of nftables. The
// cluster drops the packets of other pods, so a new pod is closed until its policies apply.
//
// The controller calls Save after it has written the chains, and at no other time.
type guardedPods struct {
	utils.IPSetHandler
	tables utils.IPTablesHandler
	// The family, table and name of the set; empty for none.
	set     string
	written string
}

// Save reads the sets of the kernel, as the embedded handler does, and updates the set of pods.
func (pods *guardedPods) Save() error {
	if pods.set != "" {
		if err := pods.update(); err != nil {
			return fmt.Errorf("the set %s: %w", pods.set, err)
		}
	}
	return pods.IPSetHandler.Save()
}

func (pods *guardedPods) update() error {
	rules, err := pods.tables.List("filter", "KUBE-ROUTER-FORWARD")
	if err != nil {
		return err
	}
	change := replacement(pods.set, addresses(rules))
	if change == pods.written {
		return nil
	}
	command := exec.Command("nft", "-f", "-")
	command.Stdin = strings.NewReader(change)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, bytes.TrimSpace(output))
	}
	pods.written = change
	return nil
}

func addresses(rules []string) []string {
	var found []string
	for _, rule := range rules {
		if match := ruleOfPod.FindStringSubmatch(rule); match != nil {
			found = append(found, match[1])
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// replacement is one transaction: no packet meets an empty set.
func replacement(set string, addresses []string) string {
	change := "flush set " + set + "\n"
	if len(addresses) > 0 {
		change += "add element " + set + " { " + strings.Join(addresses, ", ") + " }\n"
	}
	return change
}
