"""Whether a machine is fit for lanpi at all: what only preflight asks."""
