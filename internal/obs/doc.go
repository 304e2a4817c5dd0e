// Package obs sets up what an operator watches: the structured log and the metric registry. It holds no metric of its
// own; each part registers what it measures on the registry it is given.
package obs
