package executor

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/flyball-io/flyball"
)

var place = regexp.MustCompile(`\{\{\s*([A-Za-z0-9_.-]+)\s*\}\}`)

// fill puts what a command says into the places of a text: {{target}}, {{target.name}},
// {{params.NAME}}, {{operation_id}}, {{attempt}}, {{reason}}. A parameter that the command
// does not have is an error.
func fill(text string, cmd *flyball.Command) (string, error) {
	var err error
	out := place.ReplaceAllStringFunc(text, func(p string) string {
		name := place.FindStringSubmatch(p)[1]
		switch name {
		case "target":
			return cmd.Target
		case "target.name":
			return cmd.Target[strings.LastIndexByte(cmd.Target, '/')+1:]
		case "operation_id":
			return cmd.OperationID
		case "attempt":
			return strconv.Itoa(cmd.Attempt)
		case "reason":
			return cmd.Reason.Rule
		}
		if param, ok := strings.CutPrefix(name, "params."); ok {
			if v, ok := cmd.Action.Params[param]; ok {
				return v
			}
		}
		err = fmt.Errorf("the command has nothing for %s", p)
		return ""
	})
	return out, err
}
