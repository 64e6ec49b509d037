"""Forecasts of load, photovoltaic power, price and carbon intensity, with their quantiles and their measured skill."""
