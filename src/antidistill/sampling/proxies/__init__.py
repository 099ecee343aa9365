"""What the methods need beside the teacher: gradients, perturbed proxies, trained heads."""
