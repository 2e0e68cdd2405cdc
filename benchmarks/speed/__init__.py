"""Speed of EMGD: ratios measured side by side in one run, and their goals."""
