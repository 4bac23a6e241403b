"""Hot paths against their naive limits, both measured in the same run: a ratio outlives the machine it was taken on."""
