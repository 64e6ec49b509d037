"""Asset Administration Shells (IEC 63278, IDTA 01001): the plant, its shops, lines and machines as any AAS program reads them."""
