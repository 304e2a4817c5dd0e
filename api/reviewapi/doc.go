// Package reviewapi serves reviews over HTTP: reviewers work off the queue with a signature of their own under each verdict, subjects
// contest and mark, tenants read standing and agreement (security rules G9 and G11).
package reviewapi
