"""How fast EMGD is: ratios measured side by side in one run, and their goals."""
