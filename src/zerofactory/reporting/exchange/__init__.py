"""Exchange (交换): product footprints as other people's programs read them: PACT 3 JSON and the AAS Carbon Footprint submodel."""
