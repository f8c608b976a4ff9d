package target

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/slipway-cd/slipway"
)

// How long to leave AWS alone after an error that may pass by itself.
const (
	afterThrottling = 5 * time.Second
	afterFailure    = 2 * time.Second
)

// credentialsError marks an error of the credentials' provider, which the SDK
// hands on like any other.
type credentialsError struct{ err error }

func (e *credentialsError) Error() string { return e.err.Error() }
func (e *credentialsError) Unwrap() error { return e.err }

// explain says what became of a call and what to do about it. doing is like
// "cannot update service web in cluster shop". An error that says so already,
// and the end of ctx, are handed on.
func (c *client) explain(ctx context.Context, err error, doing string) error {
	if err == nil {
		return nil
	}
	if known, ok := errors.AsType[*slipway.Error](err); ok {
		return known
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", doing, context.Cause(ctx))
	}
	explained := &slipway.Error{Next: slipway.NextPerson, Message: doing, Err: err}
	api, answered := errors.AsType[smithy.APIError](err)
	if answered {
		explained.Err = api
	}
	switch credentials, failed := errors.AsType[*credentialsError](err); {
	case failed:
		c.explainCredentials(explained, credentials, api)
	case answered:
		c.explainAnswer(explained, api, failedInside(err))
	default:
		c.explainSilence(explained, err)
	}
	return explained
}

// explainAnswer is about an error that the service answered. The codes come from the API
// reference: ECS's "Common errors" and each action's own.
// inside says that the service failed, rather than refused.
func (c *client) explainAnswer(e *slipway.Error, api smithy.APIError, inside bool) {
	code := api.ErrorCode()
	_, throttled := retry.DefaultThrottleErrorCodes[code]
	switch code {
	case "AccessDeniedException", "AccessDenied", "NotAuthorized":
		e.Message += ": access denied"
		e.Hint = grant(api.ErrorMessage())
	case "ExpiredTokenException", "ExpiredToken", "RequestExpired":
		e.Message += ": the AWS credentials have expired"
		e.Hint = "log in again (for example aws sso login), or renew what gives Slipway its credentials"
	case "UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException",
		"IncompleteSignature", "MissingAuthenticationToken", "MissingAuthenticationTokenException":
		e.Message += ": AWS does not accept the credentials"
		e.Hint = "check which credentials are in use with aws sts get-caller-identity, and whether the key is still active"
	case "OptInRequired":
		e.Message += ": the account does not use this region"
		e.Hint = "enable the region " + c.region + " for the account, or correct the region"
	case "ClusterNotFoundException":
		e.Kind = slipway.ErrNoService
		e.Message += ": there is no such cluster in " + c.region
		e.Hint = "create the cluster, or correct the cluster, its region and its role (an app's cluster is its folder's, unless slipway.yaml or pipeline.yaml says otherwise)"
	case "ServiceNotFoundException":
		e.Kind = slipway.ErrNoService
		e.Message += ": there is no such service"
		e.Hint = hintService
	case "ServiceNotActiveException":
		e.Kind = slipway.ErrNoService
		e.Message += ": the service is not active"
		e.Hint = hintService
	case "LimitExceededException":
		e.Message += ": a quota of the account is reached"
		e.Hint = "ask for a higher quota in Service Quotas, or delete what is not needed any more"
	default:
		switch {
		case throttled:
			e.Next, e.RetryAfter = slipway.NextRetry, afterThrottling
			e.Message += ": " + c.name() + " has too many requests of this account"
		case inside:
			e.Next, e.RetryAfter = slipway.NextRetry, afterFailure
			e.Message += ": " + c.name() + " has a failure of its own"
		default:
			e.Message += ": " + c.name() + " refused it"
		}
	}
}

// failedInside reports whether an answer is about a failure of the service's own:
// by the error's model or, for an error that the SDK's has none of, by its code or
// the HTTP status.
func failedInside(err error) bool {
	if api, ok := errors.AsType[smithy.APIError](err); ok &&
		(api.ErrorFault() == smithy.FaultServer || api.ErrorCode() == "ServiceUnavailable" || api.ErrorCode() == "InternalFailure") {
		return true
	}
	response, ok := errors.AsType[*smithyhttp.ResponseError](err)
	return ok && response.HTTPStatusCode() >= http.StatusInternalServerError
}

// explainCredentials is about an error on the way to credentials; api is what
// STS answered, or nil.
func (c *client) explainCredentials(e *slipway.Error, err *credentialsError, api smithy.APIError) {
	e.Err = err
	if c.role == "" {
		e.Message += ": there are no AWS credentials"
		e.Hint = "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run where a role gives them"
		return
	}
	e.Message += ": cannot assume the role " + c.role
	e.Hint = "let the credentials that Slipway runs with call sts:AssumeRole on " + c.role + ", and let the role's trust policy name them"
	if api == nil {
		return
	}
	e.Err = api
	if _, throttled := retry.DefaultThrottleErrorCodes[api.ErrorCode()]; throttled || api.ErrorFault() == smithy.FaultServer {
		e.Next, e.RetryAfter, e.Hint = slipway.NextRetry, afterThrottling, ""
	}
}

// explainSilence is about a call that got no answer of the service. It may pass by
// itself, even where a name is unknown: a resolver may be at fault.
func (c *client) explainSilence(e *slipway.Error, err error) {
	at := c.endpoint
	if at == "" {
		at = c.name() + "'s endpoint in " + c.region
	}
	_, unsent := errors.AsType[*smithyhttp.RequestSendError](err)
	_, unreadable := errors.AsType[*smithyhttp.ResponseError](err)
	if !unsent && !unreadable {
		e.Next = slipway.NextNever
		return
	}
	e.Next, e.RetryAfter = slipway.NextRetry, afterFailure
	dns, unknown := errors.AsType[*net.DNSError](err)
	switch {
	case !unsent:
		e.Message += ": the answer of " + at + " is not " + c.name() + "'s"
		e.Hint = "check that nothing stands between Slipway and " + c.name() + ", and that the endpoint is " + c.name() + "'s"
	case unknown && dns.IsNotFound && c.endpoint == "":
		e.Err = dns
		e.Message += ": there is no " + c.name() + " in the region " + c.region
		e.Hint = "correct the region: AWS_REGION, the profile's, or the cluster's in slipway.yaml"
	default:
		if op, ok := errors.AsType[*net.OpError](err); ok {
			e.Err = op
		}
		e.Message += ": cannot reach " + at
		e.Hint = "check that the endpoint is right (AWS_ENDPOINT_URL, or the cluster's in slipway.yaml) and that this machine reaches it"
	}
}

// name is what the service is called whose errors are explained.
func (c *client) name() string { return cmp.Or(c.called, "ECS") }

const hintService = "create the service, or a batch app's schedule (Slipway deploys to them, it does not make them), or name another in the app's pipeline.yaml"

// grant names what AWS says is missing in messages such as "User: ARN is not
// authorized to perform: ecs:UpdateService on resource: ARN because …".
func grant(message string) string {
	part := func(pattern string) string {
		if found := regexp.MustCompile(pattern).FindStringSubmatch(message); found != nil {
			return found[1]
		}
		return ""
	}
	action := part(`not authorized to perform: (\S+)`)
	if action == "" {
		return "allow the action in the policy of the role that Slipway uses"
	}
	hint := "allow " + action
	if resource := part(`on resource: (\S+)`); resource != "" {
		hint += " on " + resource
	}
	if user := part(`User: (\S+)`); user != "" {
		hint += " to " + user
	}
	switch action {
	case "iam:PassRole":
		hint += " (for the task's two roles, condition iam:PassedToService ecs-tasks.amazonaws.com)"
	case "ecs:TagResource":
		hint += " (condition ecs:CreateAction RegisterTaskDefinition): Slipway carries a task definition's tags over"
	}
	return hint
}

// isInactive reports whether ECS refused a task definition because it was
// deregistered; the text is all that tells it from other errors.
func isInactive(err error) bool {
	api, ok := errors.AsType[smithy.APIError](err)
	return ok && regexp.MustCompile(`(?i)task ?definition is inactive`).MatchString(api.ErrorMessage())
}

// isClusterMissing reports whether ECS knows no such cluster.
func isClusterMissing(err error) bool {
	_, missing := errors.AsType[*types.ClusterNotFoundException](err)
	return missing
}
