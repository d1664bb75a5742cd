"""The Pi's logs: ejabberd, Redis, lanpi's units and the kernel, merged in time order, secrets redacted there."""
