// Package ui serves the pages: home, the verify page, the public registry, the catalogue of problems, and error pages.
// Templates, style, script and texts (English and Chinese) are embedded. Pages work without script; a strict content
// security policy allows scripts and styles from this origin's own files only.
//
// Start at New. The verdict is rendered by one template, whether the form was posted or a script asked for the part.
package ui
