package kubernetes

import (
	"errors"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	kubetesting "k8s.io/client-go/testing"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config/spec"
)

// cluster has the deployment cart at revision 3, with its replica sets, and a pod.
func cluster() *fake.Clientset {
	labels := map[string]string{"app": "cart"}
	meta := func(name, rev string, owner *appsv1.Deployment) metav1.ObjectMeta {
		m := metav1.ObjectMeta{Name: name, Namespace: "shop", Labels: labels, Annotations: map[string]string{revision: rev}}
		if owner != nil {
			m.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(owner, appsv1.SchemeGroupVersion.WithKind("Deployment"))}
		}
		return m
	}
	template := func(image string) corev1.PodTemplateSpec {
		return corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "cart", appsv1.DefaultDeploymentUniqueLabelKey: "abc"}},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "cart", Image: image}}},
		}
	}
	cart := &appsv1.Deployment{ObjectMeta: meta("cart", "3", nil), Spec: appsv1.DeploymentSpec{
		Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: template("cart:v3")}}
	cart.UID = types.UID("u1")
	other := cart.DeepCopy()
	other.UID = types.UID("u2")
	objects := []runtime.Object{cart, &corev1.Pod{ObjectMeta: meta("cart-1", "", nil)}}
	for rev, image := range map[string]string{"1": "cart:v1", "2": "cart:v2", "3": "cart:v3"} {
		objects = append(objects, &appsv1.ReplicaSet{ObjectMeta: meta("cart-"+image[5:], rev, cart), Spec: appsv1.ReplicaSetSpec{Template: template(image)}})
	}
	// One of the same labels that belongs to another deployment.
	objects = append(objects, &appsv1.ReplicaSet{ObjectMeta: meta("stray", "2", other), Spec: appsv1.ReplicaSetSpec{Template: template("stray:v9")}})
	client := fake.NewClientset(objects...)
	// The fake server keeps no scale of its own.
	client.PrependReactor("get", "deployments", func(a kubetesting.Action) (bool, runtime.Object, error) {
		if a.GetSubresource() != "scale" {
			return false, nil, nil
		}
		return true, &autoscalingv1.Scale{ObjectMeta: metav1.ObjectMeta{Name: "cart", Namespace: "shop"}, Spec: autoscalingv1.ScaleSpec{Replicas: 2}}, nil
	})
	return client
}

func TestOperations(t *testing.T) {
	f := func(operation, target, replicas, want string) *fake.Clientset {
		t.Helper()
		client := cluster()
		o := New(spec.ExecutorKubernetes{Operation: operation, Namespace: "shop", MinReplicas: 1, MaxReplicas: 10}, client, func() time.Time { return time.Unix(0, 0) })
		did, err := o.Do(t.Context(), &flyball.Command{OperationID: "op1", Target: target, Action: flyball.Action{Params: map[string]string{"replicas": replicas}}})
		if err != nil || did != want {
			t.Errorf("%s of %s: %q, %v, want %q", operation, target, did, err, want)
		}
		return client
	}
	f("scale", "deploy/cart", "+50%", "scaled deployment shop/cart from 2 to 3 replicas")
	client := f("scale", "deploy/cart", "5", "scaled deployment shop/cart from 2 to 5 replicas")
	scaled := false
	for _, a := range client.Actions() {
		if u, ok := a.(kubetesting.UpdateAction); ok && a.GetSubresource() == "scale" {
			scaled = u.GetObject().(*autoscalingv1.Scale).Spec.Replicas == 5
		}
	}
	if !scaled {
		t.Error("nothing was scaled to 5")
	}
	client = f("restart", "deployment/shop/cart", "", "restarted deployment shop/cart")
	d, err := client.AppsV1().Deployments("shop").Get(t.Context(), "cart", metav1.GetOptions{})
	if err != nil || d.Spec.Template.Annotations["kubectl.kubernetes.io/restartedAt"] != "1970-01-01T00:00:00Z" || d.Annotations["flyball.dev/operation"] != "op1" {
		t.Errorf("the restart left %v, %v: %v", d.Annotations, d.Spec.Template.Annotations, err)
	}
	client = f("undo", "deploy/cart", "", "deployment shop/cart is back at revision 2")
	d, err = client.AppsV1().Deployments("shop").Get(t.Context(), "cart", metav1.GetOptions{})
	if err != nil || d.Spec.Template.Spec.Containers[0].Image != "cart:v2" || d.Spec.Template.Labels[appsv1.DefaultDeploymentUniqueLabelKey] != "" {
		t.Errorf("the undo left %+v: %v", d.Spec.Template, err)
	}
	client = f("delete", "pod/cart-1", "", "deleted pod shop/cart-1")
	if _, err := client.CoreV1().Pods("shop").Get(t.Context(), "cart-1", metav1.GetOptions{}); err == nil {
		t.Error("the pod is still there")
	}
}

func TestRefusals(t *testing.T) {
	f := func(operation, target, replicas, want string) {
		t.Helper()
		client := cluster()
		o := New(spec.ExecutorKubernetes{Operation: operation, Namespace: "shop", MinReplicas: 2, MaxReplicas: 10}, client, time.Now)
		_, err := o.Do(t.Context(), &flyball.Command{Target: target, Action: flyball.Action{Params: map[string]string{"replicas": replicas}}})
		if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s of %s: %v, want a refusal with %q", operation, target, err, want)
		}
		for _, a := range client.Actions() {
			if v := a.GetVerb(); v != "get" && v != "list" {
				t.Errorf("%s of %s is refused, and does %s", operation, target, v)
			}
		}
	}
	f("scale", "deploy/cart", "1", "outside 2 to 10")
	f("scale", "deploy/cart", "11", "outside 2 to 10")
	f("scale", "deploy/cart", "many", "want a number")
	f("scale", "pod/cart-1", "5", "cannot be scaled")
	f("restart", "pod/cart-1", "", "no rollout")
	f("undo", "sts/cart", "", "only rollouts of deployments")
	f("delete", "deploy/cart", "", "only pods")
	f("restart", "deploy/kube-system/dns", "", "namespace")
	f("restart", "cart", "", "no kind/name")
	f("restart", "job/cart", "", "no kind/name")
}

func TestNoRevisionBefore(t *testing.T) {
	client := cluster()
	d, err := client.AppsV1().Deployments("shop").Get(t.Context(), "cart", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	d.Annotations[revision] = "1"
	if _, err := client.AppsV1().Deployments("shop").Update(t.Context(), d, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	_, err = New(spec.ExecutorKubernetes{Operation: "undo", Namespace: "shop"}, client, time.Now).Do(t.Context(), &flyball.Command{Target: "deploy/cart"})
	if !errors.Is(err, ErrRefused) {
		t.Errorf("there is nothing before revision 1, and it gives %v", err)
	}
}
