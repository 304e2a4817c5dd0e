// Package problem turns errors into answers. It holds the one ordered table from sentinel error to status, problem type
// and text key, the texts in English and Chinese, and the two dialects in which an HTTP route may answer: RFC 9457
// problem documents, and OAuth error objects for the wallet-facing routes (OpenID4VCI 1.0, 6.3 and 8.3.1; RFC 6750, 3).
//
// Start at Catalog. What is not in the table is a 500 that tells nothing; the cause belongs in the log of the caller.
package problem
