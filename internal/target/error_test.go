package target

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/slipway-cd/slipway"
)

// transport stands for the network.
type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

// answer is an HTTP response with a body.
func answer(status int, contentType, body string) transport {
	return func(r *http.Request) (*http.Response, error) {
		header := http.Header{"Content-Type": {contentType}, "X-Amzn-Requestid": {"11111111-2222-3333-4444-555555555555"}}
		return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	}
}

// refuse answers as ECS does with an error.
func refuse(status int, code, message string) transport {
	return answer(status, "application/x-amz-json-1.1", fmt.Sprintf(`{"__type":%q,"message":%q}`, code, message))
}

func fail(err error) transport {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

// over is a target with static credentials whose calls go over a transport.
func over(network http.RoundTripper) *ECS {
	return NewECS(Options{
		Config: func(_ context.Context, region string) (aws.Config, error) {
			return aws.Config{Region: region, Credentials: credentials.NewStaticCredentialsProvider("AKIAEXAMPLE", "secret", "")}, nil
		},
		HTTPClient: &http.Client{Transport: network},
	})
}

func TestErrors(t *testing.T) {
	place := slipway.Place{Cluster: "shop", Service: "web", Region: "eu-west-1"}
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	const denied = "User: arn:aws:sts::111122223333:assumed-role/slipway/s is not authorized to perform: ecs:DescribeServices " +
		"on resource: arn:aws:ecs:eu-west-1:111122223333:service/shop/web because no identity-based policy allows the ecs:DescribeServices action"
	tests := []struct {
		name     string
		network  transport
		endpoint string
		next     slipway.Next
		message  []string // parts of the message
		hint     string   // a part of the hint
	}{
		{
			"denied", refuse(400, "AccessDeniedException", denied), "", slipway.NextPerson,
			[]string{"cannot read the services of cluster shop: access denied", "assumed-role/slipway/s is not authorized"},
			"allow ecs:DescribeServices on arn:aws:ecs:eu-west-1:111122223333:service/shop/web to arn:aws:sts::111122223333:assumed-role/slipway/s",
		},
		{
			"expired", refuse(400, "ExpiredTokenException", "The security token included in the request is expired"), "", slipway.NextPerson,
			[]string{"the AWS credentials have expired"}, "log in again",
		},
		{
			"not accepted", refuse(400, "UnrecognizedClientException", "The security token included in the request is invalid."), "", slipway.NextPerson,
			[]string{"AWS does not accept the credentials"}, "aws sts get-caller-identity",
		},
		{
			"no such cluster", refuse(400, "ClusterNotFoundException", "Cluster not found."), "", slipway.NextPerson,
			[]string{"there is no such cluster in eu-west-1"}, "create the cluster",
		},
		{
			"no such service", answer(200, "application/x-amz-json-1.1", `{"services":[],"failures":[{"arn":"arn:aws:ecs:eu-west-1:111122223333:service/shop/web","reason":"MISSING"}]}`), "",
			slipway.NextPerson, []string{"there is no service web in cluster shop"}, "create the service",
		},
		{
			"throttled", refuse(400, "ThrottlingException", "Rate exceeded"), "", slipway.NextRetry,
			[]string{"too many requests", "Rate exceeded"}, "",
		},
		{
			"their failure", refuse(500, "ServerException", "Service Unavailable"), "", slipway.NextRetry,
			[]string{"a failure of its own"}, "",
		},
		{
			"refused", refuse(400, "InvalidParameterException", "Services cannot be empty."), "", slipway.NextPerson,
			[]string{"ECS refused it", "Services cannot be empty."}, "",
		},
		{
			"connection refused", fail(refused), "http://127.0.0.1:1", slipway.NextRetry,
			[]string{"cannot reach http://127.0.0.1:1", "connection refused"}, "AWS_ENDPOINT_URL",
		},
		{
			"unknown region", fail(&net.DNSError{Err: "no such host", Name: "ecs.eu-west-1.amazonaws.com", IsNotFound: true}), "", slipway.NextRetry,
			[]string{"there is no ECS in the region eu-west-1"}, "correct the region",
		},
		{
			"a proxy's page", answer(503, "text/html", "<html>try later</html>"), "", slipway.NextRetry,
			[]string{"is not ECS's", "503"}, "nothing stands between Slipway and ECS",
		},
		{
			"not ECS", answer(200, "text/html", "<html>hello</html>"), "http://web.example.com", slipway.NextRetry,
			[]string{"the answer of http://web.example.com is not ECS's"}, "the endpoint is ECS's",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				place := place
				place.Endpoint = tt.endpoint
				d := slipway.Deployment{Place: place, Attempt: 1}
				got, err := over(tt.network).Advance(t.Context(), d)
				checkError(t, err, tt.next, tt.hint, tt.message...)
				if got.Phase != d.Phase || got.Attempt != 1 {
					t.Errorf("with an error, the deployment became %+v", got)
				}
				e, _ := errors.AsType[*slipway.Error](err)
				if (e.Next == slipway.NextRetry) != (e.RetryAfter > 0) {
					t.Errorf("next %s, retry after %v", e.Next, e.RetryAfter)
				}
			})
		})
	}
}

func checkError(t *testing.T, err error, next slipway.Next, hint string, message ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	if got := slipway.NextOf(err); got != next {
		t.Errorf("%v: next is %s, want %s", err, got, next)
	}
	for _, part := range message {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
	if got := slipway.HintOf(err); !strings.Contains(got, hint) || hint == "" && got != "" {
		t.Errorf("the hint is %q, want %q in it", got, hint)
	}
}

func TestErrorsOfContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		e := over(transport(func(r *http.Request) (*http.Response, error) {
			cancel()
			<-r.Context().Done()
			return nil, r.Context().Err()
		}))
		_, err := e.Advance(ctx, slipway.Deployment{Place: slipway.Place{Cluster: "shop", Service: "web", Region: "eu-west-1"}})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

func TestGrant(t *testing.T) {
	tests := []struct{ message, want string }{
		{"User: arn:u is not authorized to perform: iam:PassRole on resource: arn:r because", "allow iam:PassRole on arn:r to arn:u (for the task's two roles, condition iam:PassedToService ecs-tasks.amazonaws.com)"},
		{"User: arn:u is not authorized to perform: ecs:TagResource on resource: arn:r", "allow ecs:TagResource on arn:r to arn:u (condition ecs:CreateAction RegisterTaskDefinition): Slipway carries a task definition's tags over"},
		{"User: arn:u is not authorized to perform: ecs:ListServices", "allow ecs:ListServices to arn:u"},
		{"nope", "allow the action in the policy of the role that Slipway uses"},
	}
	for _, tt := range tests {
		if got := grant(tt.message); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.message, got, tt.want)
		}
	}
}

func TestErrorsBeforeAnyCall(t *testing.T) {
	for _, name := range []string{"AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
		"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_ECS", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"} {
		t.Setenv(name, "")
	}
	nowhere := t.TempDir()
	t.Setenv("AWS_CONFIG_FILE", nowhere+"/config")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", nowhere+"/credentials")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	network := &http.Client{Transport: fail(errors.New("nobody may be called"))}
	advance := func(e *ECS, place slipway.Place) error {
		place.Cluster, place.Service = "shop", "web"
		_, err := e.Advance(t.Context(), slipway.Deployment{Place: place})
		return err
	}

	own := func(ctx context.Context, region string) (aws.Config, error) {
		return config.LoadDefaultConfig(ctx, config.WithRegion(region))
	}
	err := advance(NewECS(Options{Config: own, HTTPClient: network}), slipway.Place{})
	checkError(t, err, slipway.NextPerson, "set AWS_REGION", "no AWS region is set")

	err = advance(NewECS(Options{Config: own, HTTPClient: network}), slipway.Place{Region: "eu-west-1"})
	checkError(t, err, slipway.NextPerson, "set AWS_PROFILE", "there are no AWS credentials")

	bare := func(_ context.Context, region string) (aws.Config, error) { return aws.Config{Region: region}, nil }
	err = advance(NewECS(Options{Config: bare, HTTPClient: network}), slipway.Place{Region: "eu-west-1"})
	checkError(t, err, slipway.NextPerson, "set AWS_PROFILE", "there are no AWS credentials")

	profile := func(ctx context.Context, region string) (aws.Config, error) {
		return config.LoadDefaultConfig(ctx, config.WithRegion(region), config.WithSharedConfigProfile("missing"))
	}
	err = advance(NewECS(Options{Config: profile, HTTPClient: network}), slipway.Place{Region: "eu-west-1"})
	checkError(t, err, slipway.NextPerson, "correct the profile", "cannot load the AWS configuration", "missing")
}

func TestRole(t *testing.T) {
	const role = "arn:aws:iam::444455556666:role/deployer"
	const assumed = `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
		<AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>
		<Expiration>2100-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`
	const denied = `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>AccessDenied</Code>
		<Message>User: arn:aws:iam::111122223333:user/ci is not authorized to perform: sts:AssumeRole</Message></Error></ErrorResponse>`
	place := slipway.Place{Cluster: "shop", Service: "web", Region: "eu-west-1", RoleARN: role}
	run := func(t *testing.T, sts transport) (string, error) {
		var signedBy string
		e := over(transport(func(r *http.Request) (*http.Response, error) {
			if strings.HasPrefix(r.URL.Host, "sts.") {
				return sts(r)
			}
			signedBy = r.Header.Get("Authorization")
			return refuse(400, "ClusterNotFoundException", "Cluster not found.")(r)
		}))
		_, err := e.Advance(t.Context(), slipway.Deployment{Place: place})
		return signedBy, err
	}
	synctest.Test(t, func(t *testing.T) {
		signedBy, err := run(t, answer(200, "text/xml", assumed))
		checkError(t, err, slipway.NextPerson, "create the cluster")
		if !strings.Contains(signedBy, "Credential=ASIAEXAMPLE/") {
			t.Errorf("signed by %q", signedBy)
		}
		signedBy, err = run(t, answer(403, "text/xml", denied))
		checkError(t, err, slipway.NextPerson, "sts:AssumeRole on "+role, "cannot assume the role "+role, "user/ci is not authorized")
		if signedBy != "" {
			t.Errorf("ECS was called, signed by %q", signedBy)
		}
	})
}

func TestOtherServicesAreRefused(t *testing.T) {
	tests := []struct {
		name    string
		service string
		message string
	}{
		{"inactive", `"status":"INACTIVE"`, "is INACTIVE: it was deleted"},
		{"draining", `"status":"DRAINING"`, "is being deleted (DRAINING)"},
		{"codedeploy", `"status":"ACTIVE","deploymentController":{"type":"CODE_DEPLOY"}`, "has the deployment controller CODE_DEPLOY"},
		{"external", `"status":"ACTIVE","deploymentController":{"type":"EXTERNAL"}`, "has the deployment controller EXTERNAL"},
		{"nothing primary", `"status":"ACTIVE","deployments":[]`, "has no primary deployment"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := over(answer(200, "application/x-amz-json-1.1", `{"services":[{"serviceName":"web",`+tt.service+`}]}`))
				_, err := e.Advance(t.Context(), slipway.Deployment{Place: slipway.Place{Cluster: "shop", Service: "web", Region: "eu-west-1"}})
				if slipway.NextOf(err) != slipway.NextPerson || !strings.Contains(err.Error(), "service web in cluster shop "+tt.message) {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}
