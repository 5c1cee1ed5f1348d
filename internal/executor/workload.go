package executor

import (
	"context"
	"errors"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/executor/kubernetes"
)

// workload changes a workload in Kubernetes.
type workload struct{ operator *kubernetes.Operator }

func newWorkload(s *spec.ExecutorKubernetes) (*workload, error) {
	client, err := kubernetes.Connect(s.Kubeconfig)
	if err != nil {
		return nil, err
	}
	return &workload{kubernetes.New(*s, client, time.Now)}, nil
}

// Run does the operation. What the API server refuses was not done.
func (w *workload) Run(ctx context.Context, cmd *flyball.Command) Result {
	did, err := w.operator.Do(ctx, cmd)
	switch {
	case err == nil:
		return Result{flyball.OutcomeSucceeded, "", did}
	case errors.Is(err, kubernetes.ErrRefused):
		return Result{flyball.OutcomeRejected, ReasonParameter, err.Error()}
	case ctx.Err() != nil:
		return Result{flyball.OutcomePermanent, ReasonTimeout, "the API server did not answer in time; it may have been done"}
	case kubernetes.Transient(err):
		return Result{flyball.OutcomeTransient, ReasonRefused, err.Error()}
	}
	return Result{flyball.OutcomePermanent, ReasonFailed, err.Error()}
}
