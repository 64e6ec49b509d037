"""Material: how coil, strip, sheet and charge are cut and mixed so that less steel and aluminium is bought for the same parts."""
