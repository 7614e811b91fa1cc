# Container registry credentials: the imagePullSecret of every service.
path "secret/data/vrooli/dockerhub/*" {
  capabilities = ["read"]
}
