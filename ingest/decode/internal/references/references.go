// Package references gets from a Schema Registry what schemas refer to.
package references

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/twmb/franz-go/pkg/sr"
)

// maxReferences bounds what a schema refers to.
const maxReferences = 100

// Get gets what a schema refers to: its text by name, and in the order of
// dependency.
func Get(ctx context.Context, client *sr.Client, list []sr.SchemaReference) (byName map[string]string, order []string, err error) {
	byName = map[string]string{}
	err = collect(ctx, client, list, byName, &order, 0)
	return byName, order, err
}

func collect(ctx context.Context, client *sr.Client, list []sr.SchemaReference, byName map[string]string, order *[]string, depth int) error {
	for _, ref := range list {
		if _, ok := byName[ref.Name]; ok {
			continue
		}
		if depth > maxReferences || len(byName) > maxReferences {
			return errors.New("cannot use schema: it refers to too many others")
		}
		s, err := client.SchemaByVersion(ctx, ref.Subject, ref.Version)
		if err != nil {
			return fmt.Errorf("cannot get schema %q, version %d: %w", ref.Subject, ref.Version, err)
		}
		byName[ref.Name] = s.Schema.Schema
		if err := collect(ctx, client, s.References, byName, order, depth+1); err != nil {
			return err
		}
		*order = append(*order, s.Schema.Schema)
	}
	return nil
}

// Unanswered reports whether an error is that the registry gave no answer, and not that
// it has no such schema.
func Unanswered(err error) bool {
	var answer *sr.ResponseError
	var network net.Error
	return !errors.As(err, &answer) && (errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network))
}
