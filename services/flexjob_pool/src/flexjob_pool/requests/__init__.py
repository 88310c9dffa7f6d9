"""What may be asked of the pool, before any rule is tried: one class per door, one module per noun."""
