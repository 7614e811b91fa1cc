// Package ecs has no provider: this build of Traefik serves Kubernetes only.
package ecs

import (
	"errors"

	"github.com/traefik/traefik/v3/pkg/config/dynamic"
	"github.com/traefik/traefik/v3/pkg/safe"
)

// Provider refuses to start.
type Provider struct{}

// SetDefaults sets nothing.
func (p *Provider) SetDefaults() {}

// Init reports that the provider is missing.
func (p *Provider) Init() error {
	return errors.New("the ECS provider is not part of this build of Traefik")
}

// Provide reports that the provider is missing.
func (p *Provider) Provide(chan<- dynamic.Message, *safe.Pool) error {
	return p.Init()
}
