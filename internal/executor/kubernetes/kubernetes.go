// Package kubernetes is what the executor can do to workloads in Kubernetes: scale them,
// restart or undo a rollout, delete a pod.
package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config/spec"
)

// Connect returns a client: by a kubeconfig file or, where that is empty, by the service
// account of the pod.
func Connect(kubeconfig string) (kubernetes.Interface, error) {
	cfg, err := rest.InClusterConfig()
	if kubeconfig != "" {
		cfg, err = clientcmd.BuildConfigFromFlags("", kubeconfig)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot connect to Kubernetes: %w", err)
	}
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("cannot connect to Kubernetes: %w", err)
	}
	return client, nil
}

// Operator does one operation.
type Operator struct {
	spec   spec.ExecutorKubernetes
	client kubernetes.Interface
	now    func() time.Time
}

// New returns an operator.
func New(s spec.ExecutorKubernetes, client kubernetes.Interface, now func() time.Time) *Operator {
	return &Operator{spec: s, client: client, now: now}
}

// ErrRefused means that the command asks for what it may not.
var ErrRefused = errors.New("refused")

// Transient reports whether an error says that nothing was changed and a repetition may
// work: a conflict of versions, or a server that is too busy.
func Transient(err error) bool {
	return apierrors.IsConflict(err) || apierrors.IsTooManyRequests(err) || apierrors.IsServerTimeout(err) || apierrors.IsServiceUnavailable(err)
}

// Do does what a command says, and tells what it did.
func (o *Operator) Do(ctx context.Context, cmd *flyball.Command) (string, error) {
	kind, namespace, name, err := o.target(cmd.Target)
	if err != nil {
		return "", err
	}
	switch o.spec.Operation {
	case "scale":
		return o.scale(ctx, kind, namespace, name, cmd.Action.Params["replicas"])
	case "restart":
		return o.restart(ctx, kind, namespace, name, cmd)
	case "undo":
		return o.undo(ctx, kind, namespace, name, cmd)
	case "delete":
		if kind != "pod" {
			return "", fmt.Errorf("%w: only pods are deleted, not a %s", ErrRefused, kind)
		}
		if err := o.client.CoreV1().Pods(namespace).Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
			return "", err
		}
		return fmt.Sprintf("deleted pod %s/%s", namespace, name), nil
	}
	return "", fmt.Errorf("%w: unknown operation %q", ErrRefused, o.spec.Operation)
}

var kinds = map[string]string{
	"deploy": "deployment", "deployment": "deployment", "deployments": "deployment",
	"statefulset": "statefulset", "sts": "statefulset", "statefulsets": "statefulset",
	"daemonset": "daemonset", "ds": "daemonset", "pod": "pod", "pods": "pod", "po": "pod",
}

// target reads kind/name and kind/namespace/name.
func (o *Operator) target(text string) (kind, namespace, name string, err error) {
	parts := strings.Split(text, "/")
	namespace = o.spec.Namespace
	switch len(parts) {
	case 2:
		name = parts[1]
	case 3:
		namespace, name = parts[1], parts[2]
	}
	kind = kinds[strings.ToLower(parts[0])]
	if kind == "" || name == "" || namespace == "" {
		return "", "", "", fmt.Errorf("%w: target %q is no kind/name or kind/namespace/name of a deployment, stateful set, daemon set or pod", ErrRefused, text)
	}
	if namespace != o.spec.Namespace && !slices.Contains(o.spec.Namespaces, namespace) {
		return "", "", "", fmt.Errorf("%w: namespace %q is none of those that this executor may act in", ErrRefused, namespace)
	}
	return kind, namespace, name, nil
}

func (o *Operator) scale(ctx context.Context, kind, namespace, name, text string) (string, error) {
	opts := metav1.GetOptions{}
	switch kind {
	case "deployment":
		s, err := o.client.AppsV1().Deployments(namespace).GetScale(ctx, name, opts)
		if err != nil {
			return "", err
		}
		was := s.Spec.Replicas
		if s.Spec.Replicas, err = o.replicas(text, was); err != nil {
			return "", err
		}
		_, err = o.client.AppsV1().Deployments(namespace).UpdateScale(ctx, name, s, metav1.UpdateOptions{})
		return fmt.Sprintf("scaled deployment %s/%s from %d to %d replicas", namespace, name, was, s.Spec.Replicas), err
	case "statefulset":
		s, err := o.client.AppsV1().StatefulSets(namespace).GetScale(ctx, name, opts)
		if err != nil {
			return "", err
		}
		was := s.Spec.Replicas
		if s.Spec.Replicas, err = o.replicas(text, was); err != nil {
			return "", err
		}
		_, err = o.client.AppsV1().StatefulSets(namespace).UpdateScale(ctx, name, s, metav1.UpdateOptions{})
		return fmt.Sprintf("scaled stateful set %s/%s from %d to %d replicas", namespace, name, was, s.Spec.Replicas), err
	}
	return "", fmt.Errorf("%w: a %s cannot be scaled", ErrRefused, kind)
}

// restart does what `kubectl rollout restart` does: it changes an annotation of the
// pods' template.
func (o *Operator) restart(ctx context.Context, kind, namespace, name string, cmd *flyball.Command) (string, error) {
	patch := fmt.Appendf(nil, `{"metadata":{"annotations":{"flyball.dev/operation":%q}},"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":%q}}}}}`,
		cmd.OperationID, o.now().UTC().Format(time.RFC3339))
	var err error
	switch kind {
	case "deployment":
		_, err = o.client.AppsV1().Deployments(namespace).Patch(ctx, name, types.StrategicMergePatchType, patch, metav1.PatchOptions{})
	case "statefulset":
		_, err = o.client.AppsV1().StatefulSets(namespace).Patch(ctx, name, types.StrategicMergePatchType, patch, metav1.PatchOptions{})
	case "daemonset":
		_, err = o.client.AppsV1().DaemonSets(namespace).Patch(ctx, name, types.StrategicMergePatchType, patch, metav1.PatchOptions{})
	default:
		err = fmt.Errorf("%w: a %s has no rollout", ErrRefused, kind)
	}
	return fmt.Sprintf("restarted %s %s/%s", kind, namespace, name), err
}

// revision is the annotation in which Kubernetes numbers the rollouts of a deployment.
const revision = "deployment.kubernetes.io/revision"

// undo does what `kubectl rollout undo` does: the pods' template of the replica set with
// the revision before becomes that of the deployment.
func (o *Operator) undo(ctx context.Context, kind, namespace, name string, cmd *flyball.Command) (string, error) {
	if kind != "deployment" {
		return "", fmt.Errorf("%w: only rollouts of deployments are undone, not of a %s", ErrRefused, kind)
	}
	d, err := o.client.AppsV1().Deployments(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	selector, err := metav1.LabelSelectorAsSelector(d.Spec.Selector)
	if err != nil {
		return "", fmt.Errorf("cannot read selector of deployment %s/%s: %w", namespace, name, err)
	}
	list, err := o.client.AppsV1().ReplicaSets(namespace).List(ctx, metav1.ListOptions{LabelSelector: selector.String()})
	if err != nil {
		return "", err
	}
	before, number := previous(d, list.Items)
	if before == nil {
		return "", fmt.Errorf("%w: deployment %s/%s has no revision before %s", ErrRefused, namespace, name, d.Annotations[revision])
	}
	d.Spec.Template = *before.Spec.Template.DeepCopy()
	delete(d.Spec.Template.Labels, appsv1.DefaultDeploymentUniqueLabelKey)
	if d.Annotations == nil {
		d.Annotations = map[string]string{}
	}
	d.Annotations["flyball.dev/operation"] = cmd.OperationID
	if _, err := o.client.AppsV1().Deployments(namespace).Update(ctx, d, metav1.UpdateOptions{}); err != nil {
		return "", err
	}
	return fmt.Sprintf("deployment %s/%s is back at revision %d", namespace, name, number), nil
}

// previous returns the replica set of the latest revision before the present one.
func previous(d *appsv1.Deployment, list []appsv1.ReplicaSet) (*appsv1.ReplicaSet, int64) {
	now, err := strconv.ParseInt(d.Annotations[revision], 10, 64)
	if err != nil {
		return nil, 0
	}
	var best *appsv1.ReplicaSet
	number := int64(0)
	for i := range list {
		n, err := strconv.ParseInt(list[i].Annotations[revision], 10, 64)
		if err == nil && metav1.IsControlledBy(&list[i], d) && n < now && n > number {
			best, number = &list[i], n
		}
	}
	return best, number
}
