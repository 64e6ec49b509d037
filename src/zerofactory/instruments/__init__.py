"""权益: certificates, credits and allowances, never mixed; every unit in one place, claimed once or not at all."""
