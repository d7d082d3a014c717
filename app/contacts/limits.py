"""The limits of one call. They hold for every caller."""

PAGE_DEFAULT = 50
PAGE_LIMIT = 100
KEYS_LIMIT = 100
ROWS_LIMIT = 1_000
SELECTION_LIMIT = 1_000
TAG_COUNTS_LIMIT = 1_000
ASSIGNMENTS_LIMIT = 100
ALIASES_LIMIT = 1_000
CUSTOM_FIELDS_LIMIT = 500

# Bytes of JSON that `updateContacts` writes to each of up to SELECTION_LIMIT contacts: in all no
# more than the body of a bulk has.
UPDATE_BYTES_LIMIT = 4_096

# Tags, assignments and values of custom fields that one mutation writes or removes, each of which
# is a row of an index. With so many, a transaction holds SQLite's writer for about a second.
INDEXED_VALUES_LIMIT = 50_000

# Of all filters and searches of one operation.
CONDITIONS_LIMIT = 200
CONDITION_VALUES_LIMIT = 10_000

# Characters of a text: in `search`, `contains` and `startsWith`; in `eq` and `in`; the least in
# `search`.
PATTERN_LENGTH = 200
TEXT_LENGTH = 255
SEARCH_LENGTH = 3

LIST_VALUES_LIMIT = 1_000
CONDITION_DEPTH_LIMIT = 10

# Contacts that are examined for `totalCount`.
COUNT_LIMIT = 100_000
