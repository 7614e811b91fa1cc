"""Diagrams as Mermaid, SVG and HTML, and the server that shows them."""
