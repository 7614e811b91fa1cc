"""IngressClasses and StorageClasses: the default ones, and the class of an Ingress. No I/O here."""

from __future__ import annotations

from vrooli.kube.objects import Body, annotations_of, text

DEFAULT_STORAGE = "storageclass.kubernetes.io/is-default-class"
_DEFAULTS = (DEFAULT_STORAGE, "ingressclass.kubernetes.io/is-default-class")
# The deprecated annotation from before IngressClass objects.
_OLD = "kubernetes.io/ingress.class"


def is_default(class_: Body) -> bool:
    """Whether an IngressClass or a StorageClass is the default one."""
    annotations = annotations_of(class_)
    return any(text(annotations, name) == "true" for name in _DEFAULTS)


def annotated_class(ingress: Body) -> str:
    """The class that an Ingress names in its deprecated annotation; empty if it names none."""
    return text(annotations_of(ingress), _OLD)
