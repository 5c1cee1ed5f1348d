package strictyaml

import (
	"fmt"
	"slices"
	"strings"
)

// DidYouMean returns a hint: the known word nearest to word if it is near
// enough to be a slip, else the known words when they are few, else "".
func DidYouMean(word string, known []string) string {
	if near := nearest(word, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	if len(known) == 0 || len(known) > 12 {
		return ""
	}
	return "want one of " + strings.Join(known, ", ")
}

// nearest returns the known word with the smallest edit distance, if that is at
// most a third of the word and not the whole of it; ties go to the first in
// order of the alphabet, so that the answer does not depend on map order. Words
// longer than any name are not compared: the cost is the product of the lengths.
func nearest(word string, known []string) string {
	const longest = 256
	if len(word) > longest {
		return ""
	}
	best, bestDistance := "", len(word)/3+2
	for _, k := range slices.Sorted(slices.Values(known)) {
		if len(k) > longest {
			continue
		}
		if strings.EqualFold(k, word) {
			return k
		}
		limit := max(1, max(len(k), len(word))/3)
		if d := editDistance(strings.ToLower(word), strings.ToLower(k)); d <= limit && d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}

// editDistance is the optimal string alignment distance: insertions, deletions,
// replacements, and swaps of neighbours (the commonest slip on a keyboard), each
// costing one.
func editDistance(a, b string) int {
	s, t := []rune(a), []rune(b)
	rows := make([][]int, len(s)+1)
	for i := range rows {
		rows[i] = make([]int, len(t)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(s); i++ {
		for j := 1; j <= len(t); j++ {
			cost := 1
			if s[i-1] == t[j-1] {
				cost = 0
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(s)][len(t)]
}
