package main

import "slices"

// unknown is the error for a word that is none of those that there are; text says so.
func unknown(text, word string, there []string) error {
	f := &failure{exitUsage, text, seeHelp}
	if n := nearest(word, there); n != "" {
		f.hint = "did you mean " + n + "?"
	}
	return f
}

// nearest is the word that is meant if word has a slip or two, "" if there is none.
func nearest(word string, there []string) string {
	best, least := "", min(3, (len(word)+2)/3+1)
	for _, t := range there {
		if d := slips(word, t); d < least {
			best, least = t, d
		}
	}
	return best
}

// slips is how many letters were left out, put in, changed or swapped with their neighbour
// to make a of b (the optimal string alignment distance). Long words are too far.
func slips(a, b string) int {
	const far = 100
	if len(a) > 30 || len(b) > 30 {
		return far
	}
	var before, last, row []int
	for j := range len(b) + 1 {
		last = append(last, j)
	}
	for i := range len(a) {
		row = []int{i + 1}
		for j := range len(b) {
			change := last[j]
			if a[i] != b[j] {
				change++
			}
			d := min(last[j+1]+1, row[j]+1, change)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				d = min(d, before[j-1]+1)
			}
			row = append(row, d)
		}
		before, last = last, row
	}
	return last[len(b)]
}

// words are the flags as they are written.
func (f *flags) words() []string {
	var all []string
	for _, fl := range f.all {
		all = append(all, "--"+fl.long)
	}
	slices.Sort(all)
	return all
}
