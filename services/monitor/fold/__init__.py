"""The fold of the chat log: order, fence, taking back and forgetting (H2, H19)."""
