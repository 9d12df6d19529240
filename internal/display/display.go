// Package display makes text for people at a terminal: printable, cut by the cells that it takes
// on the screen, in aligned columns, in colours; and says commands, durations and times as people do. It
// writes nothing, and knows neither names nor locks.
package display
