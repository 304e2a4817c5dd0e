// Package live scores messages as they come, for two uses, and keeps nothing of them (design.md §9.24; security rules G3, G4).
//
// Feeds are for text that belongs to no subject: a community, a support centre's customers, a market. A feed shows groups only: for
// each window of time the mean over its authors, each counted once, and nothing unless at least MinGroup authors wrote. Windows do not
// overlap, so that no difference between two of them shows one person. Who wrote is kept as a keyed hash while the window is open and
// then forgotten, and so are the texts. Lines by staff are dropped before they are read: nobody is watched at work. Scenes of work and
// class, and purposes that no consent can cover, are refused, and the refusal is in the audit trail. Rules on levels and trends raise alerts.
//
// Practice is for the person who writes, at their wish and under their live receipt: each message gets a reading and hints, for
// that person alone.
//
// Start at New and Run; Service.Open, Feed.Add and Feed.Follow are a feed's life, Service.Practise is practice. Everything lives in
// memory and ends with the process. The package yields no report, level or credential.
package live
