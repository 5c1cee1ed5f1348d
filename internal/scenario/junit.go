package scenario

import (
	"encoding/xml"
	"fmt"
)

// The elements of JUnit's XML report, as far as build servers read them.
type (
	junitSuite struct {
		XMLName  xml.Name    `xml:"testsuite"`
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Time     string      `xml:"time,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		File    string        `xml:"file,attr"`
		Time    string        `xml:"time,attr"`
		Failure *junitFailure `xml:"failure"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// JUnit returns reports in JUnit's XML.
func JUnit(reports []Report) []byte {
	suite := junitSuite{Name: "flyball test", Tests: len(reports)}
	total := 0.0
	for _, r := range reports {
		c := junitCase{Name: r.Path, File: r.Path, Time: fmt.Sprintf("%.3f", r.Took.Seconds())}
		total += r.Took.Seconds()
		if len(r.Failures) > 0 {
			suite.Failures++
			c.Failure = &junitFailure{Message: fmt.Sprintf("%d failures, the first in line %d", len(r.Failures), r.Failures[0].Line)}
			for _, f := range r.Failures {
				c.Failure.Text += fmt.Sprintf("%s:%d: %s\n", r.Path, f.Line, f.Text)
			}
		}
		suite.Cases = append(suite.Cases, c)
	}
	suite.Time = fmt.Sprintf("%.3f", total)
	out, err := xml.MarshalIndent(suite, "", "  ")
	if err != nil {
		panic("BUG: a report does not encode: " + err.Error())
	}
	return append([]byte(xml.Header), append(out, '\n')...)
}
