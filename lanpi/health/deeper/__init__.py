"""Where doctor looks deeper: causes, and evidence out of logs."""
