package scenario

import (
	"fmt"
	"strings"
)

// explainDiff says how the output of a command differs from what the file says.
func explainDiff(command string, want, got []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "after %q the output differs:\n", command)
	b.WriteString("    - the file says, + came out, ~ marks where two lines part\n")
	b.WriteString(diff(want, got))
	return strings.TrimRight(b.String(), "\n")
}

// diff writes the lines of two texts, those that both have once. Where one line
// stands for another, it marks the words that differ.
func diff(want, got []string) string {
	var b strings.Builder
	i, j := 0, 0
	var minus, plus []string
	flush := func() {
		for k := range max(len(minus), len(plus)) {
			if k < len(minus) {
				fmt.Fprintf(&b, "    - %s\n", minus[k])
			}
			if k < len(plus) {
				fmt.Fprintf(&b, "    + %s\n", plus[k])
			}
			if k < len(minus) && k < len(plus) {
				fmt.Fprintf(&b, "      %s\n", marks(minus[k], plus[k]))
			}
		}
		minus, plus = nil, nil
	}
	common := longestCommon(want, got)
	for i < len(want) || j < len(got) {
		switch {
		case i < len(want) && j < len(got) && common[i][j] == common[i+1][j+1]+1 && want[i] == got[j]:
			flush()
			fmt.Fprintf(&b, "      %s\n", want[i])
			i, j = i+1, j+1
		case j == len(got) || i < len(want) && common[i+1][j] >= common[i][j+1]:
			minus = append(minus, want[i])
			i++
		default:
			plus = append(plus, got[j])
			j++
		}
	}
	flush()
	return b.String()
}

// longestCommon returns, for every pair of ends of a and b, how many lines they
// have in common, in order.
func longestCommon(a, b []string) [][]int {
	n := make([][]int, len(a)+1)
	for i := range n {
		n[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				n[i][j] = n[i+1][j+1] + 1
			} else {
				n[i][j] = max(n[i+1][j], n[i][j+1])
			}
		}
	}
	return n
}

// marks underlines the words of b that differ from those of a.
func marks(a, b string) string {
	before := strings.Fields(a)
	var out strings.Builder
	for i, w := range strings.Split(b, " ") {
		c := byte(' ')
		if i >= len(before) || before[i] != w {
			c = '~'
		}
		out.WriteString(strings.Repeat(string(c), len([]rune(w))) + " ")
	}
	return strings.TrimRight(out.String(), " ")
}
