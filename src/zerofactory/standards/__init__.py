"""Standards (标准): rule books as dated, cited data: categories, gases, regimes, what a report must hold."""
