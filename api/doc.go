// Package api is the HTTP edge: it lists every route with its limits and rights in one table, lets requests in, calls the
// thin handlers below it, and turns errors into answers in the dialect of the route. It serves on the caller's
// http.Server; metrics are served elsewhere, on the operations listener.
//
// Start at New; routes.go is the table. The OpenAPI document openapi.yaml is checked against it by a test.
package api
