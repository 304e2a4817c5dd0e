// Package assessmentapi serves assessment over HTTP: a platform submits evidence under a consent and reads the report. A
// platform reads status, levels and reasons; scores, intervals and quotes only where the subject's consent has the
// purpose "report" (design, section 9.19). Nothing of the submitted text is kept by this package.
package assessmentapi
