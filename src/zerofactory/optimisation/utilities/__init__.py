"""Utilities and buildings (公用动力与厂房): booths, ovens, compressed air, halls, chillers, heaters and stores, step by step."""
