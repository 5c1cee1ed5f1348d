// Package check renders what is in deploy as its users do, with the official libraries,
// and holds it against the types of Kubernetes and the specification of Compose.
package check

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/lint/support"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
)

const chartDir = "../helm/flyball"

// render returns the objects of the chart with values, decoded strictly: an unknown
// field, or one that is there twice, is an error.
func render(t *testing.T, values map[string]any) ([]runtime.Object, error) {
	t.Helper()
	c, err := loader.Load(chartDir)
	if err != nil {
		t.Fatal(err)
	}
	install := action.NewInstall(&action.Configuration{Capabilities: chartutil.DefaultCapabilities})
	install.ClientOnly, install.DryRun, install.ReleaseName, install.Namespace = true, true, "shop", "flyball"
	install.KubeVersion = &chartutil.KubeVersion{Version: "v1.34.0", Major: "1", Minor: "34"}
	release, err := install.Run(c, values)
	if err != nil {
		return nil, err
	}
	decode := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	var out []runtime.Object
	for _, doc := range regexp.MustCompile(`(?m)^---$`).Split(release.Manifest, -1) {
		if strings.Contains(doc, "monitoring.coreos.com") || !strings.Contains(doc, "kind:") {
			continue // a type of the Prometheus operator
		}
		o, _, err := decode.Decode([]byte(doc), nil, nil)
		if err != nil {
			t.Fatalf("%v in:\n%s", err, doc)
		}
		out = append(out, o)
	}
	return out, nil
}

func of[T runtime.Object](list []runtime.Object) (out []T) {
	for _, o := range list {
		if x, ok := o.(T); ok {
			out = append(out, x)
		}
	}
	return out
}

var config = map[string]any{"flyball.yaml": "apiVersion: flyball.dev/v1\nkind: Pipeline\nmetadata: {name: x}\n"}

func everything() map[string]any {
	return map[string]any{
		"config": config, "existingSecret": "flyball-secrets",
		"roles":      map[string]any{"aggregate": map[string]any{"autoscaling": map[string]any{"enabled": true}}, "record": map[string]any{"replicas": 0}},
		"executor":   map[string]any{"enabled": true, "name": "shop", "namespaces": []any{"shop", "pay"}},
		"podMonitor": map[string]any{"enabled": true}, "podAnnotations": map[string]any{"a": "b"},
		"networkPolicy": map[string]any{"ingressFrom": []any{map[string]any{"namespaceSelector": map[string]any{"matchLabels": map[string]any{"name": "monitoring"}}}}},
	}
}

func TestChartByDefault(t *testing.T) {
	objects, err := render(t, map[string]any{"config": config})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, d := range of[*appsv1.Deployment](objects) {
		names = append(names, d.Name)
	}
	slices.Sort(names)
	if want := []string{"shop-aggregate", "shop-decide", "shop-evaluate", "shop-record"}; !slices.Equal(names, want) {
		t.Errorf("deployments %v, want %v", names, want)
	}
	if n := len(of[*autoscalingv2.HorizontalPodAutoscaler](objects)); n != 0 {
		t.Errorf("%d autoscalers that nobody asked for", n)
	}
	if n := len(of[*policyv1.PodDisruptionBudget](objects)); n != 3 { // not of the one record
		t.Errorf("%d disruption budgets, want 3", n)
	}
	if n := len(of[*networkingv1.NetworkPolicy](objects)); n != 1 {
		t.Errorf("%d network policies, want 1", n)
	}
}

func TestChartWithEverything(t *testing.T) {
	objects, err := render(t, everything())
	if err != nil {
		t.Fatal(err)
	}
	deployments := of[*appsv1.Deployment](objects)
	if len(deployments) != 4 { // the executor instead of record
		t.Errorf("%d deployments, want 4", len(deployments))
	}
	for _, d := range deployments {
		pod := d.Spec.Template
		for k, v := range d.Spec.Selector.MatchLabels {
			if pod.Labels[k] != v {
				t.Errorf("%s does not select its pods: %s is %q", d.Name, k, pod.Labels[k])
			}
		}
		confined(t, d.Name, pod.Spec)
		if token := *pod.Spec.AutomountServiceAccountToken; token != (d.Name == "shop-executor") {
			t.Errorf("%s has a token of the API server: %v", d.Name, token)
		}
		if scaled := d.Name == "shop-aggregate"; scaled != (d.Spec.Replicas == nil) {
			t.Errorf("%s sets its replicas: %v", d.Name, d.Spec.Replicas)
		}
	}
	hpa := of[*autoscalingv2.HorizontalPodAutoscaler](objects)
	if len(hpa) != 1 || hpa[0].Spec.ScaleTargetRef.Name != "shop-aggregate" || hpa[0].Spec.Metrics[0].External.Metric.Name != "flyball_lag_records" {
		t.Errorf("the autoscaler is not as wanted: %+v", hpa)
	}
	roles := of[*rbacv1.Role](objects)
	if len(roles) != 2 || roles[0].Namespace == roles[1].Namespace || len(of[*rbacv1.ClusterRole](objects)) != 0 {
		t.Errorf("the executor's roles are not those of its namespaces: %+v", roles)
	}
}

// confined checks that a pod has no rights that it does not need.
func confined(t *testing.T, name string, pod corev1.PodSpec) {
	t.Helper()
	if !*pod.SecurityContext.RunAsNonRoot {
		t.Errorf("%s may run as root", name)
	}
	for _, c := range pod.Containers {
		s := c.SecurityContext
		if *s.AllowPrivilegeEscalation || !*s.ReadOnlyRootFilesystem || !slices.Equal(s.Capabilities.Drop, []corev1.Capability{"ALL"}) {
			t.Errorf("%s is not confined: %+v", name, s)
		}
		if c.Resources.Limits.Memory().IsZero() {
			t.Errorf("%s has no limit of memory", name)
		}
	}
	if *pod.TerminationGracePeriodSeconds <= 10 {
		t.Errorf("%s has %d s to stop; it may need 10", name, *pod.TerminationGracePeriodSeconds)
	}
}

// TestChartRefuses makes sure that what cannot work is refused before it is installed.
func TestChartRefuses(t *testing.T) {
	f := func(name, want string, values map[string]any) {
		t.Helper()
		if _, err := render(t, values); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	f("no configuration", "config is empty", nil)
	f("a value that is not there", "rolez", map[string]any{"config": config, "rolez": map[string]any{}})
	f("a role that is not there", "deside", map[string]any{"config": config, "roles": map[string]any{"deside": map[string]any{"replicas": 1}}})
	f("less than none", "replicas", map[string]any{"config": config, "roles": map[string]any{"decide": map[string]any{"replicas": -1}}})
	f("too little time to stop", "terminationGracePeriodSeconds", map[string]any{"config": config, "terminationGracePeriodSeconds": 5})
}

func TestChartLints(t *testing.T) {
	lint := action.NewLint()
	lint.Strict = true
	for _, m := range lint.Run([]string{chartDir}, everything()).Messages {
		if m.Severity >= support.WarningSev {
			t.Error(m)
		}
	}
}

func TestCompose(t *testing.T) {
	options, err := cli.NewProjectOptions([]string{"../compose.yaml"}, cli.WithEnv([]string{"FLYBALL_TOKEN=0123456789abcdef"}), cli.WithName("flyball"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := options.LoadProject(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"kafka", "clickhouse", "collector", "flyball", "grafana", "prometheus"} {
		s, err := p.GetService(want)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, v := range s.Volumes {
			if v.Type != "bind" {
				continue
			}
			if _, err := os.Stat(v.Source); err != nil {
				t.Errorf("%s mounts what is not there: %v", want, err)
			}
		}
		for _, port := range s.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s is open to others on port %s", want, port.Published)
			}
		}
		if want == "flyball" {
			if _, err := os.Stat(filepath.Join(s.Build.Context, "Dockerfile")); err != nil {
				t.Error(err)
			}
		}
	}
	without, err := cli.NewProjectOptions([]string{"../compose.yaml"}, cli.WithName("flyball"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := without.LoadProject(context.Background()); err == nil || !strings.Contains(err.Error(), "FLYBALL_TOKEN") {
		t.Errorf("without a token it starts: %v", err)
	}
}
