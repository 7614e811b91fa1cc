"""The NSFW detector: one HTTP API over one ONNX model."""
