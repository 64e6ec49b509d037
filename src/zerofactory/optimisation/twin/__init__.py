"""The digital twin (数字孪生): a plant that behaves like the plant: pieces, machines, failures, energy, heat and air."""
