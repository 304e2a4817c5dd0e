// Package pdf writes an assessment report as a PDF file, in English or Chinese: the same words as the HTML page, its plots drawn
// as vectors, the font embedded (as a subset, by the characters used). Start at Render.
//
// The file carries its language and title and holds its text as text, so that it can be searched and read aloud, but it is not
// tagged: the HTML page is the form for assistive technology. Characters outside the font (rare ideographs, emoji) show as 〓.
package pdf
