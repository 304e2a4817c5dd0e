package statuslist

import "errors"

// ErrEncoding is returned for text that is not an encoded list, and by ParseIndex for text that is not an index. It is a
// MALFORMED_VALUE_ERROR of the data model.
var ErrEncoding = errors.New("malformed status list value")

// ErrTooLarge is returned when a list opens to more than the cap. Opening stops at the cap.
var ErrTooLarge = errors.New("status list opens to more than allowed")

// ErrLength is returned for a list with too few entries (STATUS_LIST_LENGTH_ERROR) or an impossible length.
var ErrLength = errors.New("status list length")

// ErrRange is returned for an index that the list does not have (RANGE_ERROR), and for a value that does not fit an entry.
var ErrRange = errors.New("status list range")

// ErrSize is returned for bits per entry that the specification does not allow.
var ErrSize = errors.New("status size")
