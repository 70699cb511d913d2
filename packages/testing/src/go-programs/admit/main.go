// Plays the part of kube-apiserver's admission policies on one new pod, with the API server's own code: policies are
// compiled and applied as k8s.io/apiserver does it (pkg/admission/plugin/policy/mutating: compilePolicy and dispatchOne,
// which it does not export).
//
//	admit POLICIES.json POD.json
//
// POLICIES.json is a list of MutatingAdmissionPolicies and ValidatingAdmissionPolicies. The pod is printed as it would
// be admitted, or what a policy says against it, with exit code 1.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	admissionregistration "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	plugincel "k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/policy/mutating/patch"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	"k8s.io/apiserver/pkg/admission/plugin/webhook/matchconditions"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/environment"
)

var (
	podKind  = schema.GroupVersionKind{Version: "v1", Kind: "Pod"}
	resource = schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	declared = plugincel.OptionalVariableDeclarations{HasAuthorizer: true}
)

func main() {
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(policiesFile, podFile string) error {
	var policies []json.RawMessage
	if err := read(policiesFile, &policies); err != nil {
		return err
	}
	pod := &corev1.Pod{}
	if err := read(podFile, pod); err != nil {
		return err
	}
	request, err := newRequest(pod)
	if err != nil {
		return err
	}
	// As in the API server: all that change the pod, then all that judge it.
	for _, kind := range []string{"MutatingAdmissionPolicy", "ValidatingAdmissionPolicy"} {
		for _, policy := range policies {
			if err := request.meet(kind, policy); err != nil {
				return err
			}
		}
	}
	return json.NewEncoder(os.Stdout).Encode(request.pod.VersionedObject.Object())
}

func read(file string, into any) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// The creation of a pod.
type request struct {
	pod        *admission.VersionedAttributes
	interfaces admission.ObjectInterfaces
}

func newRequest(pod *corev1.Pod) (*request, error) {
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	interfaces := admission.NewObjectInterfacesFromScheme(scheme)
	attributes := admission.NewAttributesRecord(pod, nil, podKind, pod.Namespace, pod.Name, resource, "",
		admission.Create, &metav1.CreateOptions{}, false, nil)
	versioned, err := admission.NewVersionedAttributes(attributes, podKind, interfaces)
	return &request{versioned, interfaces}, err
}

func (r *request) meet(kind string, text json.RawMessage) error {
	about := metav1.TypeMeta{}
	if err := json.Unmarshal(text, &about); err != nil || about.Kind != kind {
		return err
	}
	if kind == "MutatingAdmissionPolicy" {
		policy := &admissionregistration.MutatingAdmissionPolicy{}
		if err := json.Unmarshal(text, policy); err != nil {
			return err
		}
		return r.mutate(policy)
	}
	policy := &admissionregistration.ValidatingAdmissionPolicy{}
	if err := json.Unmarshal(text, policy); err != nil {
		return err
	}
	return r.validate(policy)
}

func (r *request) mutate(policy *admissionregistration.MutatingAdmissionPolicy) error {
	compiler, err := compilerWith(policy.Spec.Variables)
	if err != nil {
		return err
	}
	ctx := compiler.CreateContext(context.Background())
	match := matcherOf(compiler, policy.Spec.MatchConditions, policy.Spec.FailurePolicy).Match(ctx, r.pod, nil, nil)
	if match.Error != nil || !match.Matches {
		return match.Error
	}
	withPatches := declared
	withPatches.HasPatchTypes = true
	for _, mutation := range policy.Spec.Mutations {
		if mutation.JSONPatch == nil {
			return fmt.Errorf("only JSONPatch is played, not %s", mutation.PatchType)
		}
		expression := &patch.JSONPatchCondition{Expression: mutation.JSONPatch.Expression}
		evaluator := compiler.CompileMutatingEvaluator(expression, withPatches, environment.StoredExpressions)
		patched, err := patch.NewJSONPatcher(evaluator).Patch(ctx, patch.Request{
			MatchedResource:     resource,
			VersionedAttributes: r.pod,
			ObjectInterfaces:    r.interfaces,
		}, celconfig.RuntimeCELCostBudget)
		if err != nil {
			return err
		}
		r.pod.UpdateObject(patched)
	}
	return nil
}

func (r *request) validate(policy *admissionregistration.ValidatingAdmissionPolicy) error {
	compiler, err := compilerWith(policy.Spec.Variables)
	if err != nil {
		return err
	}
	ctx := compiler.CreateContext(context.Background())
	checks := make([]plugincel.ExpressionAccessor, len(policy.Spec.Validations))
	messages := make([]plugincel.ExpressionAccessor, len(policy.Spec.Validations))
	for i, v := range policy.Spec.Validations {
		checks[i] = &validating.ValidationCondition{Expression: v.Expression, Message: v.Message, Reason: v.Reason}
		messages[i] = &validating.MessageExpressionCondition{MessageExpression: v.MessageExpression}
	}
	withoutAuthorizer := plugincel.OptionalVariableDeclarations{}
	validator := validating.NewValidator(
		compiler.CompileCondition(checks, declared, environment.StoredExpressions),
		matcherOf(compiler, policy.Spec.MatchConditions, policy.Spec.FailurePolicy),
		compiler.CompileCondition(nil, declared, environment.StoredExpressions),
		compiler.CompileCondition(messages, withoutAuthorizer, environment.StoredExpressions),
		policy.Spec.FailurePolicy,
		nil,
	)
	result := validator.Validate(ctx, resource, r.pod, nil, nil, celconfig.RuntimeCELCostBudget, nil)
	for _, decision := range result.Decisions {
		if decision.Action != validating.ActionAdmit {
			return fmt.Errorf("%s", decision.Message)
		}
	}
	return nil
}

func compilerWith(variables []admissionregistration.Variable) (*plugincel.CompositedCompiler, error) {
	environments := environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion())
	compiler, err := plugincel.NewCompositedCompiler(environments)
	if err != nil {
		return nil, err
	}
	named := make([]plugincel.NamedExpressionAccessor, len(variables))
	for i, v := range variables {
		named[i] = &validating.Variable{Name: v.Name, Expression: v.Expression}
	}
	compiler.CompileAndStoreVariables(named, declared, environment.StoredExpressions)
	return compiler, nil
}

func matcherOf(
	compiler *plugincel.CompositedCompiler,
	given []admissionregistration.MatchCondition,
	failurePolicy *admissionregistration.FailurePolicyType,
) matchconditions.Matcher {
	conditions := make([]plugincel.ExpressionAccessor, len(given))
	for i := range given {
		conditions[i] = (*matchconditions.MatchCondition)(&given[i])
	}
	evaluator := compiler.CompileCondition(conditions, declared, environment.StoredExpressions)
	return matchconditions.NewMatcher(evaluator, failurePolicy, "policy", "validate", "")
}
