"""Many drafts at once: who is asked, what is kept, and what becomes of each."""
