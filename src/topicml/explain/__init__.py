"""Why a sentence has its topics: what each word adds, and what would change it."""
